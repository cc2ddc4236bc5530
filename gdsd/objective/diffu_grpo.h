// diffu-GRPO (d1): PPO on tokens, each predicted with the whole completion hidden. Zhao et al.
// 2025, arXiv:2504.12216. Coupled-GRPO: the same on tokens predicted in full and in complementary
// views, averaged. Gong et al. 2025 (DiffuCoder), arXiv:2506.20639, section 4.
//
//   ℓ_i = mean_k w_i log p(x0_i | x_t),   ρ_i = exp(ℓ_i − ℓ_i,old)
//   L   = Σ_i −min(ρ_i A, clip(ρ_i, 1 − ε_low, 1 + ε_high) A) + β KL(ℓ_i ‖ ℓ_i,ref)  /  number of i
#pragma once

#include "gdsd/advantage/advantage.h"
#include "gdsd/masking/masking.h"
#include "gdsd/objective/kl.h"
#include "gdsd/objective/objective.h"

namespace gdsd {

struct DiffuGrpoOptions {
  static constexpr std::string_view kName = "diffu_grpo";
  double beta = 0.04;
  double epsilon_low = 0.5;
  double epsilon_high = 0.5;
  Kl kl = Kl::kK3;
  MaskingOptions masking = {
      .pattern = Pattern::kFull, .coupled = false, .tokens = TokenScope::kUntilEos};
  AdvantageOptions advantage = {};

  static DiffuGrpoOptions released() {
    DiffuGrpoOptions o;
    o.masking.prompt_rate = 0.15;
    o.advantage.baseline = Baseline::kMean;
    return o;
  }
  template <class F>
  void fields(F&& f) {
    f("beta", beta, "β: weight of the KL to the reference, 0 for no reference");
    f("epsilon_low", epsilon_low, "ε_low: a token's ratio is clipped below 1 − ε_low");
    f("epsilon_high", epsilon_high, "ε_high: a token's ratio is clipped above 1 + ε_high");
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

inline Loss loss(const Batch& b, const DiffuGrpoOptions& o) {
  auto token = [&](const Tensor& log_p) { return (b.weight * log_p).mean(0); };  // [B, C]
  const Tensor scored = (b.weight != 0).any(0).to(b.log_p.scalar_type());        // [B, C]
  const Tensor log_p = token(b.log_p);

  const Surrogate surrogate = clipped_surrogate(
      log_p - token(b.log_p_old), b.advantage.unsqueeze(1), o.epsilon_low, o.epsilon_high);
  Tensor divergence = at::zeros_like(log_p);  // [B, C]
  if (o.beta > 0) divergence = kl(o.kl, log_p - token(b.log_p_ref));

  return {.sum = (scored * (o.beta * divergence - surrogate.value)).sum(),
          .count = scored.sum().item<double>(),
          .metrics = {{"kl", (scored * divergence).sum().detach()},
                      {"clipped", (scored * surrogate.clipped).sum().detach()},
                      {"entropy", -(scored * log_p).sum().detach()}}};
}

struct CoupledGrpoOptions : DiffuGrpoOptions {
  static constexpr std::string_view kName = "coupled_grpo";
  CoupledGrpoOptions() {
    beta = 0.01;
    masking = {.pattern = Pattern::kFullAndPairs,
               .views = 2,
               .weight = TokenWeight::kRate,
               .tokens = TokenScope::kUntilEos,
               .min_rate = 0.2,
               .max_rate = 0.8};
  }
  static CoupledGrpoOptions released() = delete;  // its authors' code is not among the fixtures
};

}  // namespace gdsd
