// ESPO: PPO on whole sequences, the ELBO for likelihood. arXiv:2512.03759.
//
//   L = −Σ_b min(ρ_b A_b, clip(ρ_b, 1 − ε_low, 1 + ε_high) A_b)  +  β KL(ELBO_θ ‖ ELBO_ref) / C
//   ρ = exp((ELBO_θ − ELBO_old) / C),   ELBO = mean_k Σ_i w_i log p(x0_i | x_t)
#pragma once

#include "gdsd/advantage/advantage.h"
#include "gdsd/masking/masking.h"
#include "gdsd/objective/kl.h"
#include "gdsd/objective/objective.h"

namespace gdsd {

struct EspoOptions {
  static constexpr std::string_view kName = "espo";
  double beta = 1e-3;
  double epsilon_low = 0.2;
  double epsilon_high = 0.2;
  Kl kl = Kl::kK2;
  MaskingOptions masking = {.weight = TokenWeight::kElbo};
  AdvantageOptions advantage = {};

  static EspoOptions released() { return {.masking = {.views = 2, .weight = TokenWeight::kElbo}}; }

  template <class F>
  void fields(F&& f) {
    f("beta", beta, "β: weight of the KL to the reference, 0 for no reference");
    f("epsilon_low", epsilon_low, "ε_low: the ratio is clipped below 1 − ε_low");
    f("epsilon_high", epsilon_high, "ε_high: the ratio is clipped above 1 + ε_high");
    f("kl", kl, "estimator of the KL");
    f("masking", masking, "");
    f("advantage", advantage, "");
  }
  void validate() const {
    check_field(beta >= 0, "beta", "must not be negative, got ", beta, ".");
    for (double epsilon : {epsilon_low, epsilon_high})
      check_field(epsilon >= 0, epsilon == epsilon_low ? "epsilon_low" : "epsilon_high",
                  "must not be negative, got ", epsilon, ".");
  }
  bool needs_old() const { return true; }
  bool needs_reference() const { return beta > 0; }
  bool needs_elbo() const { return false; }
};

inline Loss loss(const Batch& b, const EspoOptions& o) {
  const auto C = static_cast<double>(b.log_p.size(-1));

  const Tensor gap = (b.weight * (b.log_p - b.log_p_old)).sum(-1).mean(0);  // [B]
  const Surrogate surrogate =
      clipped_surrogate(gap / C, b.advantage, o.epsilon_low, o.epsilon_high);  // [B]
  const Tensor policy = -surrogate.value;
  Tensor divergence = at::zeros_like(policy);  // [B]
  if (o.beta > 0) divergence = kl(o.kl, (b.weight * (b.log_p - b.log_p_ref)).sum(-1).mean(0)) / C;

  return {.sum = (policy + o.beta * divergence).sum(),
          .count = static_cast<double>(policy.numel()),
          .metrics = {{"kl", divergence.sum().detach()},
                      {"clipped", surrogate.clipped.sum()},
                      {"entropy", -(b.weight * b.log_p).detach().sum(-1).mean(0).sum() / C}}};
}

}  // namespace gdsd
