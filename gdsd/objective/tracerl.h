// TraceRL: PPO on the tokens that each denoising step revealed, given what stood revealed before
// it. Wang et al. 2025, arXiv:2509.06949. A row is one step of one rollout; T its n tokens.
//
//   L = mean over rows of  −(1/n) Σ_T min(ρ_i A, clip(ρ_i, 1 − ε, 1 + ε) A)  +  β Σ_T KL(p ‖ p_old)
//
// The KL is to the denoiser that produced the rollouts.
#pragma once

#include "gdsd/advantage/advantage.h"
#include "gdsd/masking/masking.h"
#include "gdsd/objective/kl.h"
#include "gdsd/objective/objective.h"

namespace gdsd {

struct TraceRlOptions {
  static constexpr std::string_view kName = "tracerl";
  double beta = 0.01;
  double epsilon_low = 0.2;
  double epsilon_high = 0.2;
  Kl kl = Kl::kK3;
  bool mean_kl = true;
  MaskingOptions masking = {.pattern = Pattern::kTrace,
                            .coupled = false,
                            .weight = TokenWeight::kMean,
                            .tokens = TokenScope::kUntilEos};
  AdvantageOptions advantage = {.baseline = Baseline::kMean, .scale = Scale::kPopulationStd};

  static TraceRlOptions released() {
    TraceRlOptions o;
    o.mean_kl = false;
    o.masking.tokens = TokenScope::kBeforeEos;
    return o;
  }
  template <class F>
  void fields(F&& f) {
    f("beta", beta, "β: weight of the KL to the old denoiser");
    f("epsilon_low", epsilon_low, "ε_low: a token's ratio is clipped below 1 − ε_low");
    f("epsilon_high", epsilon_high, "ε_high: a token's ratio is clipped above 1 + ε_high");
    f("kl", kl, "estimator of the KL");
    f("mean_kl", mean_kl, "divide the KL of a row by n, like its other term; released: do not");
    f("masking", masking, "");
    f("advantage", advantage, "");
  }
  void validate() const {
    check_field(beta >= 0, "beta", "must not be negative, got ", beta, ".");
    for (double epsilon : {epsilon_low, epsilon_high})
      check_field(epsilon >= 0, epsilon == epsilon_low ? "epsilon_low" : "epsilon_high",
                  "must not be negative, got ", epsilon, ".");
    check_field(masking.weight == TokenWeight::kMean, "masking.weight",
                "the loss of a row is a mean over its tokens: expected mean.");
  }
  bool needs_old() const { return true; }
  bool needs_reference() const { return false; }
  bool needs_elbo() const { return false; }
};

inline Loss loss(const Batch& b, const TraceRlOptions& o) {
  const Tensor r = b.log_p - b.log_p_old;  // [K, B, C], 0 where not asked
  const Tensor asked = (b.weight != 0).to(r.scalar_type());
  const Surrogate surrogate =
      clipped_surrogate(r, b.advantage.unsqueeze(1), o.epsilon_low, o.epsilon_high);
  const Tensor divergence = (o.mean_kl ? b.weight : asked) * kl(o.kl, r);
  const Tensor rows = asked.any(-1).to(r.scalar_type());  // [K, B]
  return {.sum = (o.beta * divergence - b.weight * surrogate.value).sum(),
          .count = rows.sum().item<double>(),
          .metrics = {{"kl", divergence.sum().detach()},
                      {"clipped", (b.weight * surrogate.clipped).sum().detach()},
                      {"entropy", -(b.weight * b.log_p).sum().detach()}}};
}

}  // namespace gdsd
