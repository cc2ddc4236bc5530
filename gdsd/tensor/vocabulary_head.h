// What the last linear layer is asked for. Nobody builds logits [B, L, V] to get these answers:
// V is 126 464 for LLaDA, and a full tensor of them is what fills the memory of every peer.
// Rows are taken a tile at a time, a tile being kTile logits at most.
#pragma once

#include <span>

#include "gdsd/base/key.h"
#include "gdsd/tensor/tensor.h"

namespace gdsd {

/// Logits in memory at once: 64 MiB of float32.
inline constexpr int64_t kTile = int64_t{1} << 24;

/// log softmax(h Wᵀ) at `target`: hidden [R, D], weight [V, D], target [R] → [R], float32 or wider.
/// Differentiable in `hidden` and `weight`. Keeps one number a row for the backward pass, which
/// computes each tile of logits again. Equals the plain formula to rounding (E1).
Tensor log_prob(const Tensor& hidden, const Tensor& weight, const Tensor& target,
                int64_t tile = kTile);

/// A token for each row, and how sure the model is of it. All [R].
struct Proposal {
  Tensor token;    // int64
  Tensor log_p;    // of `token`, without temperature
  Tensor entropy;  // nats
  Tensor margin;   // p of the likeliest token minus p of the second
};

/// Samples softmax(h Wᵀ / temperature) row by row, row r from the stream keys[r] alone; greedy when
/// `temperature` is 0, the lowest id on ties. Tokens in `banned` are never proposed, but keep their
/// share in log_p, entropy and margin, as in log_prob and in LLaDA's generate.py.
Proposal propose(const Tensor& hidden, const Tensor& weight, double temperature,
                 std::span<const Key> keys, std::span<const int64_t> banned = {},
                 int64_t tile = kTile);

}  // namespace gdsd
