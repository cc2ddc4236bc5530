// The log-probability of given tokens, from hidden states.
#pragma once

#include "gdsd/tensor/tiles.h"

namespace gdsd {

/// log softmax(h Wᵀ) at `target`: hidden [R, D], weight [V, D], target [R] → [R], float32 or wider.
/// Differentiable in `hidden` and `weight`. Keeps one number a row for the backward pass, which
/// computes each tile of logits again. Equals the plain formula to rounding (E1).
Tensor log_prob(const Tensor& hidden, const Tensor& weight, const Tensor& target,
                int64_t tile = kTile);

/// The logit at `target` less the mean of all logits, of the same arguments → [R], float32 or
/// wider. h (W_y − mean_v W_v)ᵀ: no logits are made.
Tensor centred_logit(const Tensor& hidden, const Tensor& weight, const Tensor& target);

}  // namespace gdsd
