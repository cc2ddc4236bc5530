// gpu_attend and its gradient with libtorch's kernels for GPUs replaced by plain formulas, which are
// registered for the CPU here and hold the callers to what the real ones ask for.
#include "gdsd/denoiser/gpu_attention.h"

#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/library.h>

#include "gdsd/tensor/constants.h"
#include "tests/core/kernel_fixture.h"

namespace gdsd {
namespace {

using MaybeTensor = std::optional<Tensor>;
using Words = std::vector<int64_t>;

/// One sequence and head in float64: its values, and log Σ exp of its scores.
struct Plain {
  Tensor out, lse, p;  // [q, h], [q], [q, k]
};
Plain attend_head(const Tensor& q, const Tensor& k, const Tensor& v, double scale) {
  const Tensor scores = q.to(at::kDouble).matmul(k.to(at::kDouble).t()) * scale;
  const Tensor p = scores.softmax(-1);
  return {p.matmul(v.to(at::kDouble)), scores.logsumexp(-1), p};
}

void check_lengths(const Tensor& begins, int64_t most, int64_t tokens, int64_t sequences) {
  EXPECT_EQ(begins.scalar_type(), at::kInt);
  EXPECT_TRUE(begins.is_contiguous());
  EXPECT_EQ(begins.size(0), sequences + 1);
  EXPECT_EQ(begins[-1].item<int64_t>(), tokens);
  EXPECT_LE(begins.diff().max().item<int64_t>(), most);
}

/// Calls body(b, head, queries, keys) with the rows of every sequence that has queries.
template <class F>
void over_sequences(const Tensor& begin_q, const Tensor& begin_k, int64_t H, F&& body) {
  const Words q = to_vector<int64_t>(begin_q), k = to_vector<int64_t>(begin_k);
  for (size_t b = 0; b + 1 < q.size(); ++b)
    for (int64_t head = 0; head < H; ++head)
      if (q[b + 1] > q[b])
        body(static_cast<int64_t>(b), head, at::indexing::Slice(q[b], q[b + 1]),
             at::indexing::Slice(k[b], k[b + 1]));
}

std::tuple<Tensor, Tensor, Tensor, Tensor, Tensor> flash_forward(
    const Tensor& q, const Tensor& k, const Tensor& v, const MaybeTensor& begin_q,
    const MaybeTensor& begin_k, int64_t most_q, int64_t most_k, double dropout, bool causal, bool,
    std::optional<double> scale, std::optional<int64_t>, std::optional<int64_t>, const MaybeTensor&,
    const MaybeTensor&) {
  const int64_t H = q.size(1), group = H / k.size(1), B = begin_k->size(0) - 1;
  check_lengths(*begin_q, most_q, q.size(0), B);
  check_lengths(*begin_k, most_k, k.size(0), B);
  EXPECT_TRUE(q.scalar_type() == at::kBFloat16 && q.size(2) % 8 == 0 && q.stride(2) == 1);
  EXPECT_TRUE(!causal && dropout == 0 && (group == 1 || most_q > 1));
  Tensor out = at::zeros_like(q), lse = at::zeros({H, q.size(0)});
  over_sequences(*begin_q, *begin_k, H, [&](int64_t, int64_t i, auto qs, auto ks) {
    const Plain a =
        attend_head(q.index({qs, i}), k.index({ks, i / group}), v.index({ks, i / group}), *scale);
    out.index_put_({qs, i}, a.out.to(out.scalar_type()));
    lse.index_put_({i, qs}, a.lse.to(at::kFloat));
  });
  return {out, lse, at::zeros({2}), at::zeros({}), at::zeros({0})};
}

/// d_q, d_k, d_v of one head.
std::array<Tensor, 3> head_gradient(const Tensor& q, const Tensor& k, const Tensor& v,
                                    const Tensor& out, const Tensor& lse, const Tensor& d_out,
                                    double scale) {
  auto wide_of = [](const Tensor& x) { return x.to(at::kDouble); };
  const Tensor p = (wide_of(q).matmul(wide_of(k).t()) * scale - wide_of(lse).unsqueeze(1)).exp();
  const Tensor d_p = wide_of(d_out).matmul(wide_of(v).t());
  const Tensor d_s = p * (d_p - (wide_of(d_out) * wide_of(out)).sum(1, true)) * scale;
  return {d_s.matmul(wide_of(k)), d_s.t().matmul(wide_of(q)), p.t().matmul(wide_of(d_out))};
}

std::tuple<Tensor, Tensor, Tensor> flash_backward(
    const Tensor& d_out, const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& out,
    const Tensor& lse, const Tensor& begin_q, const Tensor& begin_k, int64_t, int64_t, double, bool,
    const Tensor& rng_state, const Tensor&, std::optional<double> scale, std::optional<int64_t>,
    std::optional<int64_t>) {
  const int64_t H = q.size(1), group = H / k.size(1);
  EXPECT_TRUE(lse.is_contiguous() && lse.sizes() == at::IntArrayRef({H, q.size(0)}));
  EXPECT_TRUE(rng_state.scalar_type() == at::kUInt64 && d_out.stride(2) == 1);
  EXPECT_TRUE(at::globalContext().deterministicAlgorithms());
  // Where nothing asks, the real kernel owes no zeros.
  const Tensor d_q = at::full_like(q, 7), d_k = at::full_like(k, 7), d_v = at::full_like(v, 7);
  over_sequences(begin_q, begin_k, H, [&](int64_t, int64_t i, auto qs, auto ks) {
    const int64_t j = i / group;
    const auto d =
        head_gradient(q.index({qs, i}), k.index({ks, j}), v.index({ks, j}), out.index({qs, i}),
                      lse.index({i, qs}), d_out.index({qs, i}), *scale);
    if (i % group == 0) d_k.index({ks, j}).zero_(), d_v.index({ks, j}).zero_();
    d_q.index({qs, i}).copy_(d[0]);
    d_k.index({ks, j}).add_(d[1]);
    d_v.index({ks, j}).add_(d[2]);
  });
  return {d_q, d_k, d_v};
}

std::tuple<Tensor, Tensor, Tensor, Tensor, c10::SymInt, c10::SymInt> efficient_forward(
    const Tensor& q, const Tensor& k, const Tensor& v, const MaybeTensor&,
    const MaybeTensor& begin_q, const MaybeTensor& begin_k, std::optional<int64_t> most_q,
    std::optional<int64_t> most_k, double, int64_t, bool with_lse, std::optional<double> scale,
    const MaybeTensor&, std::optional<int64_t>) {
  const int64_t H = q.size(2), B = begin_k->size(0) - 1, M = (*most_q + 31) / 32 * 32;
  EXPECT_TRUE(q.size(0) == 1 && k.size(2) == H && with_lse);
  EXPECT_TRUE(*most_q <= q.size(1) && *most_k <= k.size(1));
  check_lengths(*begin_q, *most_q, q.size(1), B);
  check_lengths(*begin_k, *most_k, k.size(1), B);
  Tensor out = at::zeros_like(q), lse = at::full({B, H, M}, NAN);
  over_sequences(*begin_q, *begin_k, H, [&](int64_t b, int64_t i, auto qs, auto ks) {
    const Plain a =
        attend_head(q[0].index({qs, i}), k[0].index({ks, i}), v[0].index({ks, i}), *scale);
    out[0].index_put_({qs, i}, a.out.to(out.scalar_type()));
    lse[b][i].slice(0, 0, a.lse.size(0)).copy_(a.lse);
  });
  return {out, lse, at::zeros({}), at::zeros({}), *most_q, *most_k};
}

std::tuple<Tensor, Tensor, Tensor, Tensor> efficient_backward(
    const Tensor& d_out, const Tensor& q, const Tensor& k, const Tensor& v, const MaybeTensor&,
    const Tensor& out, const MaybeTensor& begin_q, const MaybeTensor& begin_k, int64_t most_q,
    int64_t, const Tensor& lse, double, const Tensor&, const Tensor&, int64_t, bool,
    std::optional<double> scale, std::optional<int64_t>, std::optional<int64_t>, bool) {
  const int64_t H = q.size(2), B = begin_k->size(0) - 1, M = (most_q + 31) / 32 * 32;
  EXPECT_TRUE(lse.is_contiguous() && lse.sizes() == at::IntArrayRef({B, H, M}));
  const Tensor d_q = at::full_like(q, 7), d_k = at::full_like(k, 7), d_v = at::full_like(v, 7);
  over_sequences(*begin_q, *begin_k, H, [&](int64_t b, int64_t i, auto qs, auto ks) {
    const Tensor q_i = q[0].index({qs, i});
    const auto d =
        head_gradient(q_i, k[0].index({ks, i}), v[0].index({ks, i}), out[0].index({qs, i}),
                      lse[b][i].slice(0, 0, q_i.size(0)), d_out[0].index({qs, i}), *scale);
    d_q[0].index({qs, i}).copy_(d[0]);
    d_k[0].index({ks, i}).copy_(d[1]);
    d_v[0].index({ks, i}).copy_(d[2]);
  });
  return {d_q, d_k, d_v, at::zeros({0})};
}

TORCH_LIBRARY_IMPL(aten, CPU, m) {
  m.impl("_flash_attention_forward", TORCH_FN(flash_forward));
  m.impl("_flash_attention_backward", TORCH_FN(flash_backward));
  m.impl("_efficient_attention_forward", TORCH_FN(efficient_forward));
  m.impl("_efficient_attention_backward", TORCH_FN(efficient_backward));
}

/// Heads of queries and of keys, their width, and the lengths.
struct Case {
  int64_t H, H_keys, h;
  Words queries, keys;
};
const std::vector<Case> kCases{
    {4, 4, 16, {5, 5, 5}, {5, 5, 5}}, {4, 2, 8, {3, 1, 7}, {9, 4, 7}},
    {6, 2, 12, {1, 1}, {40, 3}},      {2, 1, 24, {0, 2, 0, 33}, {5, 2, 3, 35}},
    {2, 2, 264, {2, 3}, {4, 3}},      {3, 3, 8, {0, 0}, {2, 3}},
    {4, 2, 8, {0, 1}, {3, 6}}};

// The values, log-sums and gradients of libtorch's plain attention in float64.
TEST(GpuAttention, IsItsFormula) {
  const at::NoGradGuard no_grad;
  for (at::ScalarType type : kTypes)
    for (const auto& [H, H_keys, h, queries, keys] : kCases) {
      const int64_t R = std::accumulate(queries.begin(), queries.end(), int64_t{0});
      const int64_t N = std::accumulate(keys.begin(), keys.end(), int64_t{0});
      const Tensor q = noise({R, H * h}, "q", type), k = noise({N, H_keys * h}, "k", type),
                   v = noise({N, H_keys * h}, "v", type), d_out = noise({R, H * h}, "d", type);
      const AttendedBy by{q, k, v, queries, keys, h};
      const Attended out = gpu_attend(by);
      const auto d = gpu_attend_gradient(by, out, d_out);
      EXPECT_FALSE(at::globalContext().deterministicAlgorithms());

      const at::AutoGradMode grad(true);
      const auto x = wide({q, k, v});
      auto heads = [&](const Tensor& y) { return y.view({y.size(0), y.size(1) / h, h}); };
      EXPECT_EQ(out.lse.sizes(), at::IntArrayRef({R, H}));
      EXPECT_EQ(out.out.scalar_type(), type);
      if (R == 0) {
        EXPECT_TRUE(d[1].eq(0).all().item<bool>() && d[2].eq(0).all().item<bool>());
        continue;
      }
      std::vector<Tensor> rows;
      Words some_q, some_k;  // attend() has no sequences without queries
      for (size_t b = 0, at = 0; b < keys.size(); at += keys[b++])
        if (queries[b] > 0) {
          rows.push_back(at::arange(static_cast<int64_t>(at), static_cast<int64_t>(at) + keys[b]));
          some_q.push_back(queries[b]), some_k.push_back(keys[b]);
        }
      const Tensor asked = at::cat(rows);
      const Tensor expected = attend(heads(x[0]), heads(x[1].index_select(0, asked)),
                                     heads(x[2].index_select(0, asked)), some_q, some_k)
                                  .flatten(1);
      EXPECT_LE(error(out.out, expected), 4) << type << " h " << h;
      const auto g = torch::autograd::grad({expected}, x, {d_out.to(at::kDouble)});
      for (size_t i = 0; i < 3; ++i) EXPECT_LE(error(d[i], g[i]), 16) << type << " h " << h << i;
    }
}

TEST(Constant, IsCopiedOnceAndHeldWhileAskedFor) {
  const Words values{3, 1, 4};
  HeldConstants held;
  const Tensor first = constant(values, at::kInt, at::kCPU);
  EXPECT_EQ(to_vector<int64_t>(first), values);
  EXPECT_EQ(first.scalar_type(), at::kInt);
  EXPECT_TRUE(first.is_same(constant(values, at::kInt, at::kCPU)));
  EXPECT_FALSE(first.is_same(constant(values, at::kLong, at::kCPU)));
  {
    HeldConstants inner;
    constant({1}, at::kLong, at::kCPU);
    EXPECT_EQ(inner.take().size(), 1u);
  }
  EXPECT_EQ(held.take().size(), 3u);
}

}  // namespace
}  // namespace gdsd
