#include "gdsd/denoiser/layers.h"

#include <c10/core/GradMode.h>

namespace gdsd {

Augmented::Augmented(const Tensor& weight, const LowRank& adapter)
    : in_(weight.size(1)),
      both_(at::empty({weight.size(0), in_ + adapter.B.size(1)}, weight.options())) {
  const at::NoGradGuard no_grad;
  this->weight().copy_(weight);
  with(adapter);
}

const Tensor& Augmented::with(const LowRank& adapter) {
  const auto now = static_cast<int64_t>(adapter.B._version());
  if (now == version_) return both_;
  const at::NoGradGuard no_grad;
  both_.slice(1, in_).copy_(adapter.B * adapter.scale);
  version_ = now;
  return both_;
}

Tensor project(const Input& input, const Linear& linear) {
  const Tensor& x = input.plain();
  const at::ScalarType T = x.scalar_type();
  const Tensor w = linear.weight.to(T);
  const Tensor y = linear.bias.defined() ? at::linear(x, w, linear.bias.to(T)) : x.matmul(w.t());
  const auto& [A, B, scale] = linear.adapter;
  if (!A.defined()) return y;
  return (y + input.in(A.scalar_type()).matmul(A.t()).matmul(B.t()) * scale).to(T);
}

Tensor rms_norm(const Tensor& x, const Tensor& weight, double eps) {
  const Tensor wide = x.scalar_type() == at::kDouble ? x : x.to(at::kFloat);
  const Tensor scale = (wide.square().mean(-1, /*keepdim=*/true) + eps).rsqrt();  // [N, 1]
  return (wide * scale).to(x.scalar_type()) * weight.to(x.scalar_type());
}

Rope rope_tables(const Packed& x, int64_t h, double theta, at::ScalarType type) {
  const auto options = at::TensorOptions(at::kFloat).device(x.tokens.device());
  std::vector<Tensor> positions;
  int64_t longest = 0;
  for (int64_t L : x.lengths) longest = std::max(longest, L);
  const Tensor all = at::arange(longest, options.dtype(at::kLong));
  for (int64_t L : x.lengths) positions.push_back(all.slice(0, 0, L));
  const Tensor inverse = at::pow(theta, at::arange(0, h, 2, options) / h).reciprocal();  // [h/2]
  const Tensor half = all.to(at::kFloat).unsqueeze(1) * inverse;  // [longest, h/2]
  const Tensor angle = at::cat({half, half}, -1);                 // [longest, h]
  return {angle.cos().to(type), angle.sin().to(type), at::cat(positions)};
}

Tensor rotate(const Tensor& x, const Rope& rope) {
  const Tensor wide = x.to(at::promote_types(x.scalar_type(), rope.cos.scalar_type()));
  const auto halves = wide.chunk(2, -1);
  const Tensor turned = at::cat({-halves[1], halves[0]}, -1);
  auto at_tokens = [&](const Tensor& table) {
    return table.index_select(0, rope.position).unsqueeze(1);  // [N, 1, h]
  };
  return (wide * at_tokens(rope.cos) + turned * at_tokens(rope.sin)).to(x.scalar_type());
}

Rope select(const Rope& rope, const Rows& rows) {
  return {rope.cos, rope.sin, rope.position.index_select(0, rows.index)};
}

namespace {

/// softmax(q kᵀ / √h) v of sequences of one length: [n, H, L, h], k and v with H or fewer heads.
Tensor attend_batch(const Tensor& q, const Tensor& k, const Tensor& v) {
  // On meta the choice of a kernel would fall on one that makes [L, L] matrices.
  if (q.is_meta()) return std::get<0>(at::_scaled_dot_product_flash_attention_for_cpu(q, k, v));
  return at::scaled_dot_product_attention(q, k, v, /*attn_mask=*/{}, /*dropout_p=*/0.0,
                                          /*is_causal=*/false, /*scale=*/std::nullopt,
                                          /*enable_gqa=*/k.size(1) != q.size(1));
}

}  // namespace

Tensor attend(const Tensor& q, const Tensor& k, const Tensor& v,
              const std::vector<int64_t>& queries, const std::vector<int64_t>& keys) {
  std::vector<Tensor> out;
  int64_t q_at = 0, k_at = 0;
  // Neighbours of equal lengths are attended to together, as one batch.
  for (size_t b = 0, end; b < keys.size(); b = end) {
    end = b + 1;
    while (end < keys.size() && keys[end] == keys[b] && queries[end] == queries[b]) ++end;
    const auto n = static_cast<int64_t>(end - b);
    auto batch = [&](const Tensor& x, int64_t& at, int64_t length) {  // → [n, H, length, h]
      const Tensor run = x.slice(0, at, at + n * length);
      at += n * length;
      return run.view({n, length, x.size(1), x.size(2)}).transpose(1, 2);
    };
    const Tensor q_run = batch(q, q_at, queries[b]);
    const Tensor k_run = batch(k, k_at, keys[b]);
    k_at -= n * keys[b];
    const Tensor v_run = batch(v, k_at, keys[b]);
    const Tensor attended = attend_batch(q_run, k_run, v_run);
    out.push_back(attended.transpose(1, 2).reshape({n * queries[b], q.size(1), q.size(2)}));
  }
  return out.size() == 1 ? out[0] : at::cat(out);
}

}  // namespace gdsd
