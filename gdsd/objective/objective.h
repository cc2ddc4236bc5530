// What an RL objective is: a formula over log-probabilities and advantages.
//
// An objective sees tensors only: no model, no tokenizer, no text. It is a sum over rollouts,
// so splitting a step into micro-batches or over GPUs cannot change it. Whatever couples the
// rollouts of a group (baselines, softmax weights) is an advantage, see advantage.h.
#pragma once

#include <map>
#include <string>

#include "gdsd/tensor/tensor.h"

namespace gdsd {

/// B rollouts, K masked views of each, C completion tokens.
/// log_p[k, b, i] = log p(x0_i | x_t) if view k of rollout b asks for token i, else 0.
struct Batch {
  Tensor log_p;       // [K, B, C] under the denoiser being trained; carries the gradient
  Tensor log_p_old;   // [K, B, C] under the denoiser that produced the rollouts
  Tensor log_p_ref;   // [K, B, C] under the frozen reference; undefined when beta = 0
  Tensor weight;      // [K, B, C] set by the masking: ELBO or uniform, 0 where not asked
  Tensor completion;  // [B, C] bool: up to and including the first EOS
  Tensor advantage;   // [B]
};

/// A mean kept as its numerator and denominator. The trainer adds both over micro-batches and
/// ranks and divides once.
struct Loss {
  Tensor sum;                             // scalar, carries the gradient
  double count = 0.0;                     // rollouts or tokens that `sum` runs over
  std::map<std::string, Tensor> metrics;  // detached scalar numerators over the same count
};

/// Adds numerators and denominators; the result carries no gradient.
inline Loss& operator+=(Loss& total, const Loss& part) {
  total.sum = total.sum.defined() ? total.sum + part.sum.detach() : part.sum.detach();
  total.count += part.count;
  for (const auto& [name, value] : part.metrics)
    total.metrics[name] = total.metrics.contains(name) ? total.metrics[name] + value : value;
  return total;
}

// Each objective is one header: an options struct, its formula, and
//
//   MaskingOptions masking(const XOptions&);          which views of a rollout it wants
//   Loss loss(const Batch&, const XOptions&);         the formula
//
// objectives.h lists them in `using ObjectiveOptions = std::variant<...>`.

}  // namespace gdsd
