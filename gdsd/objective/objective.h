// What an RL objective is: a formula over scores of tokens and advantages.
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
  Tensor log_p = {};       // [K, B, C] under the denoiser being trained; carries the gradient
  Tensor log_p_old = {};   // [K, B, C] under the denoiser that produced the rollouts: needs_old
  Tensor log_p_ref = {};   // [K, B, C] under the frozen reference: needs_reference
  Tensor weight = {};      // [K, B, C] set by the masking: ELBO or uniform, 0 where not asked
  Tensor completion = {};  // [B, C] bool: up to and including the first EOS
  Tensor advantage = {};   // [B]
  Tensor elbo_old = {};    // [B] under the old denoiser, on views of its own: needs_elbo
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

/// PPO's surrogate min(ρ A, clip(ρ, 1 − ε_low, 1 + ε_high) A) and where the clip holds. ρ = e^gap.
struct Surrogate {
  Tensor value;
  Tensor clipped;  // 0 or 1 in the type of `value`
};
inline Surrogate clipped_surrogate(const Tensor& gap, const Tensor& advantage, double epsilon_low,
                                   double epsilon_high) {
  const Tensor ratio = gap.exp();
  const Tensor free = ratio * advantage;
  const Tensor clipped = ratio.clamp(1 - epsilon_low, 1 + epsilon_high) * advantage;
  return {at::minimum(free, clipped), (clipped < free).to(gap.scalar_type())};
}

// Each objective is one header: an options struct, its formula, and
//
//   MaskingOptions masking;             which views of a rollout it wants
//   AdvantageOptions advantage;         how it compares the rollouts of a group
//   bool needs_old() const;             whether it looks at log_p_old,
//   bool needs_reference() const;       … log_p_ref,
//   bool needs_elbo() const;            … elbo_old
//   static XOptions released();         the authors' public code, where it differs
//   Loss loss(const Batch&, const XOptions&);
//
// objectives.h lists them in `using ObjectiveOptions = std::variant<...>`.

}  // namespace gdsd
