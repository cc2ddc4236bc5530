#include "gdsd/denoiser/gpu_attention.h"

#include <ATen/Context.h>

#include <algorithm>
#include <cmath>

#include "gdsd/tensor/constants.h"

namespace gdsd {

namespace {

/// Flash attention's widest head, and what every width must be a multiple of.
constexpr int64_t kWidest = 256, kStep = 8;

/// What the kernels are told of the lengths.
struct Lengths {
  Tensor begin_q, begin_k;  // [B + 1] int32: where each sequence begins
  int64_t most_q, most_k;
};

Tensor begins(const std::vector<int64_t>& lengths, at::Device device) {
  std::vector<int64_t> at(lengths.size() + 1, 0);
  std::partial_sum(lengths.begin(), lengths.end(), at.begin() + 1);
  return constant(at, at::kInt, device);
}

Lengths lengths_of(const AttendedBy& by) {
  const at::Device device = by.q.device();
  auto most = [](const std::vector<int64_t>& lengths) {
    return *std::max_element(lengths.begin(), lengths.end());
  };
  return {begins(by.queries, device), begins(by.keys, device), most(by.queries), most(by.keys)};
}

/// With shared keys and one query at most, flash attention would take every sequence to have one.
/// Its bound may be too large.
Lengths flash_lengths(const AttendedBy& by) {
  Lengths out = lengths_of(by);
  if (by.q.size(1) != by.k.size(1)) out.most_q = std::max<int64_t>(2, out.most_q);
  return out;
}

bool takes_flash(const AttendedBy& by) {
  const auto type = by.q.scalar_type();
  return (type == at::kBFloat16 || type == at::kHalf) && by.h <= kWidest;
}

/// x [n, H h] → [n, H, h′], h′ ≥ h a multiple of eight: columns of zeros change no product.
Tensor to_heads(const Tensor& x, int64_t h) {
  const Tensor heads = x.unflatten(1, {-1, h});
  return h % kStep ? at::constant_pad_nd(heads, {0, kStep - h % kStep}) : heads;
}

/// → [n, H h].
Tensor from_heads(const Tensor& heads, int64_t h) {
  return (heads.size(2) == h ? heads : heads.slice(2, 0, h)).flatten(1);
}

double scale_of(int64_t h) { return 1 / std::sqrt(static_cast<double>(h)); }

/// Gradients summed in one order while it lives, without the fill of fresh memory that goes with
/// that.
class Deterministic {
 public:
  Deterministic()
      : on_(at::globalContext().deterministicAlgorithms()),
        warns_(at::globalContext().deterministicAlgorithmsWarnOnly()),
        fills_(at::globalContext().deterministicFillUninitializedMemory()) {
    at::globalContext().setDeterministicAlgorithms(true, /*warn_only=*/false);
    at::globalContext().setDeterministicFillUninitializedMemory(false);
  }
  ~Deterministic() {
    at::globalContext().setDeterministicAlgorithms(on_, warns_);
    at::globalContext().setDeterministicFillUninitializedMemory(fills_);
  }
  Deterministic(const Deterministic&) = delete;
  Deterministic& operator=(const Deterministic&) = delete;

 private:
  const bool on_, warns_, fills_;
};

Attended flash(const AttendedBy& by) {
  const Lengths lengths = flash_lengths(by);
  const auto out = at::_flash_attention_forward(
      to_heads(by.q, by.h), to_heads(by.k, by.h), to_heads(by.v, by.h), lengths.begin_q,
      lengths.begin_k, lengths.most_q, lengths.most_k, /*dropout_p=*/0, /*is_causal=*/false,
      /*return_debug_mask=*/false, scale_of(by.h));
  return {from_heads(std::get<0>(out), by.h), std::get<1>(out).t()};  // of [H, R]
}

std::array<Tensor, 3> flash_gradient(const AttendedBy& by, const Attended& attended,
                                     const Tensor& d_out) {
  const Lengths lengths = flash_lengths(by);
  // The state of a generator that dropout would have drawn from, and a number nobody uses.
  const auto words = at::TensorOptions(at::kUInt64).device(by.q.device());
  const Deterministic guard;
  const auto [d_q, d_k, d_v] = at::_flash_attention_backward(
      to_heads(d_out, by.h), to_heads(by.q, by.h), to_heads(by.k, by.h), to_heads(by.v, by.h),
      to_heads(attended.out, by.h), attended.lse.t().contiguous(), lengths.begin_q, lengths.begin_k,
      lengths.most_q, lengths.most_k, /*dropout_p=*/0, /*is_causal=*/false, at::empty({2}, words),
      at::empty({}, words), scale_of(by.h));
  return {from_heads(d_q, by.h), from_heads(d_k, by.h), from_heads(d_v, by.h)};
}

// Memory-efficient attention has a batch of one, as many heads of keys as of queries, and its
// log-sums padded: [B, H, M], M the most queries of a sequence rounded up.

/// x [n, H′ h] → [1, n, H, h′].
Tensor repeated(const Tensor& x, int64_t h, int64_t group) {
  const Tensor heads = to_heads(x, h);
  return (group == 1 ? heads : heads.repeat_interleave(group, 1)).unsqueeze(0);
}

/// Of every query its row among [B M]: [R].
Tensor rows_of_padded(const AttendedBy& by, int64_t M) {
  std::vector<int64_t> rows;
  for (size_t b = 0; b < by.queries.size(); ++b)
    for (int64_t i = 0; i < by.queries[b]; ++i) rows.push_back(static_cast<int64_t>(b) * M + i);
  return constant(rows, at::kLong, by.q.device());
}

Attended efficient(const AttendedBy& by) {
  const Lengths lengths = lengths_of(by);
  const int64_t group = by.q.size(1) / by.k.size(1);
  const auto all = at::_efficient_attention_forward(
      repeated(by.q, by.h, 1), repeated(by.k, by.h, group), repeated(by.v, by.h, group),
      /*bias=*/{}, lengths.begin_q, lengths.begin_k, lengths.most_q, lengths.most_k,
      /*dropout_p=*/0, /*custom_mask_type=*/0, /*compute_log_sumexp=*/true, scale_of(by.h));
  const Tensor& padded = std::get<1>(all);  // [B, H, M]
  const Tensor lse =
      padded.transpose(1, 2).flatten(0, 1).index_select(0, rows_of_padded(by, padded.size(2)));
  return {from_heads(std::get<0>(all).squeeze(0), by.h), lse};
}

std::array<Tensor, 3> efficient_gradient(const AttendedBy& by, const Attended& attended,
                                         const Tensor& d_out) {
  constexpr int64_t kRounding = 32;
  const Lengths lengths = lengths_of(by);
  const int64_t group = by.q.size(1) / by.k.size(1), H = by.q.size(1) / by.h;
  const auto B = static_cast<int64_t>(by.queries.size());
  const int64_t M = (lengths.most_q + kRounding - 1) / kRounding * kRounding;
  const Tensor lse = at::full({B * M, H}, INFINITY, attended.lse.options())
                         .index_copy_(0, rows_of_padded(by, M), attended.lse)
                         .view({B, M, H})
                         .transpose(1, 2)
                         .contiguous();
  const Tensor none = at::zeros({}, by.q.options().dtype(at::kLong));  // dropout's generator
  const Deterministic guard;
  const auto all = at::_efficient_attention_backward(
      repeated(d_out, by.h, 1), repeated(by.q, by.h, 1), repeated(by.k, by.h, group),
      repeated(by.v, by.h, group), /*bias=*/{}, repeated(attended.out, by.h, 1), lengths.begin_q,
      lengths.begin_k, lengths.most_q, lengths.most_k, lse, /*dropout_p=*/0, none, none,
      /*custom_mask_type=*/0, /*bias_requires_grad=*/false, scale_of(by.h));
  auto summed = [&](const Tensor& d) {  // [1, N, H, h′] → [N, H′ h]
    return from_heads(d.squeeze(0).unflatten(1, {-1, group}).sum(2), by.h);
  };
  return {from_heads(std::get<0>(all).squeeze(0), by.h), summed(std::get<1>(all)),
          summed(std::get<2>(all))};
}

}  // namespace

Attended gpu_attend(const AttendedBy& by) {
  if (by.q.size(0) == 0) {
    const int64_t H = by.q.size(1) / by.h;
    return {at::empty_like(by.q), at::empty({0, H}, by.q.options().dtype(at::kFloat))};
  }
  return takes_flash(by) ? flash(by) : efficient(by);
}

std::array<Tensor, 3> gpu_attend_gradient(const AttendedBy& by, const Attended& attended,
                                          const Tensor& d_out) {
  if (by.q.size(0) == 0) return {at::empty_like(by.q), at::zeros_like(by.k), at::zeros_like(by.v)};
  auto d = takes_flash(by) ? flash_gradient(by, attended, d_out)
                           : efficient_gradient(by, attended, d_out);
  int64_t at = 0;  // keys that nothing asks: the kernels need not write their gradients
  for (size_t b = 0; b < by.keys.size(); at += by.keys[b++])
    if (by.queries[b] == 0)
      for (size_t i : {1, 2}) d[i].slice(0, at, at + by.keys[b]).zero_();
  return d;
}

}  // namespace gdsd
