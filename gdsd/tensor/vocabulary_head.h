// The log-probability of given tokens, from hidden states.
#pragma once

#include "gdsd/tensor/tiles.h"

namespace gdsd {

/// log softmax(h Wᵀ) at `target`: hidden [R, D], weight [V, D], target [R] → [R], float32 or wider.
/// Differentiable in `hidden` and `weight`. Keeps one number a row for the backward pass, which
/// computes each tile of logits again. Equals the plain formula to rounding (E1).
Tensor log_prob(const Tensor& hidden, const Tensor& weight, const Tensor& target,
                int64_t tile = kTile);

}  // namespace gdsd
