// The parts of a transformer block, as functions of tensors. T is the type products are made in;
// N packed tokens, B sequences, H heads of width h.
#pragma once

#include <memory>

#include "gdsd/denoiser/packed.h"

namespace gdsd {

/// An addition of low rank to a matrix, s B A. Hu et al. 2021 (LoRA), arXiv:2106.09685.
struct LowRank {
  Tensor A, B;  // [r, in], [out, r]: float32, whatever the products of the model are made in
  double scale = 1;
};

/// [W | s B] of a frozen matrix and its adapter: with [x | x Aᵀ] both products are one, whose sum is
/// rounded once. The columns of s B follow B in place, so what reads the tensor needs no other one.
class Augmented {
 public:
  /// Copies the weight [out, in], whose type it has.
  Augmented(const Tensor& weight, const LowRank& adapter);

  /// The part that is W, [out, in]: a view.
  Tensor weight() const { return both_.slice(1, 0, in_); }

  /// [out, in + r], with the adapter's numbers of now.
  const Tensor& with(const LowRank& adapter);

 private:
  const int64_t in_;
  Tensor both_;
  int64_t version_ = -1;  // of B
};

struct Linear {
  Tensor weight;                              // [out, in]
  Tensor bias;                                // [out], undefined if there is none
  LowRank adapter;                            // undefined tensors if there is none
  std::shared_ptr<Augmented> augmented = {};  // null where the two are multiplied apart
};

/// What one or more matrices are applied to. Their adapters share one copy of it in their type.
class Input {
 public:
  Input(Tensor x) : x_(std::move(x)) {}  // NOLINT(google-explicit-constructor)

  const Tensor& plain() const { return x_; }
  const Tensor& in(at::ScalarType type) const {
    if (!cast_.defined() || cast_.scalar_type() != type) cast_ = x_.to(type);
    return cast_;
  }

 private:
  Tensor x_;  // [N, in]
  mutable Tensor cast_;
};

/// x Wᵀ + b + s B A x: x [N, in] → [N, out] of x's type. Weight and bias are cast to that type
/// first; the adapter's product is made and added in the adapter's own.
Tensor project(const Input& input, const Linear& linear);

/// T(x / √(mean x² + ε)) ⊙ w: x [N, D], weight [D] → [N, D]. The root in float32, the cast before
/// the multiplication, as LLaDA and Dream do.
Tensor rms_norm(const Tensor& x, const Tensor& weight, double eps);

/// Rotary positions, half-split (NeoX): cosines and sines of p θ^(−2j/h), each [longest, h], for
/// positions p = 0, 1, … of the longest sequence, and the position of every token. Computed in
/// float32, then cast to `type`.
struct Rope {
  Tensor cos, sin, position;  // position [N] int64
};
Rope rope_tables(const Packed& x, int64_t h, double theta, at::ScalarType type);

/// Rotates every head: x [N, H, h] → [N, H, h] of x's type, in the tables' type if that is wider.
Tensor rotate(const Tensor& x, const Rope& rope);

/// The Rope of some tokens.
Rope select(const Rope& rope, const Rows& rows);

/// softmax(q kᵀ / √h) v, every sequence by itself and in both directions.
/// q [R, H, h] with queries[b] rows for sequence b, k and v [N, H′, h] with keys[b] rows, H′ | H
/// → [R, H, h].
Tensor attend(const Tensor& q, const Tensor& k, const Tensor& v,
              const std::vector<int64_t>& queries, const std::vector<int64_t>& keys);

}  // namespace gdsd
