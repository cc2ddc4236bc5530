// The parts of a transformer block, as functions of tensors. T is the type products are made in;
// N packed tokens, B sequences, H heads of width h.
#pragma once

#include "gdsd/denoiser/packed.h"

namespace gdsd {

/// x Wᵀ: x [N, in], weight [out, in] → [N, out]. The weight is cast to x's type first.
Tensor project(const Tensor& x, const Tensor& weight);

/// T(x / √(mean x² + ε)) ⊙ w: x [N, D], weight [D] → [N, D]. The root in float32, the cast before
/// the multiplication, as LLaDA and Dream do.
Tensor rms_norm(const Tensor& x, const Tensor& weight, double eps);

/// Rotary positions, half-split (NeoX): cosines and sines of p θ^(−2j/h), each [N, h] float32, for
/// positions 0, 1, … in every sequence.
struct Rope {
  Tensor cos, sin;
};
Rope rope_tables(const Packed& x, int64_t h, double theta);

/// Rotates every head: x [N, H, h] → [N, H, h]. In float32 whatever T is, as LLaDA does.
Tensor rotate(const Tensor& x, const Rope& rope);

/// Rows of a Rope, or of anything else that has one row per token.
Rope select(const Rope& rope, const Rows& rows);

/// softmax(q kᵀ / √h) v, every sequence by itself and in both directions.
/// q [R, H, h] with queries[b] rows for sequence b, k and v [N, H′, h] with keys[b] rows, H′ | H
/// → [R, H, h].
Tensor attend(const Tensor& q, const Tensor& k, const Tensor& v,
              const std::vector<int64_t>& queries, const std::vector<int64_t>& keys);

}  // namespace gdsd
