// SPG: sandwiched policy gradient. Wang et al. 2025, arXiv:2510.09541. With μ the scored tokens of
// a view, n of them, and c the completion's length:
//
//   L = −Σ_b c_b A_b s_b / Σ_b c_b
//   s_b = e_b where A_b > 0, else what `bound` makes of e_b and h_b
//   e   = mean_k (1/n) Σ_μ log p                                                lower bound: ELBO
//   h   = mean over {i : u_i > 0} of log(u_i) / γ,  u_i = mean_k (c/n) p_i^γ    upper bound: EUBO
#pragma once

#include "gdsd/advantage/advantage.h"
#include "gdsd/masking/masking.h"
#include "gdsd/objective/objective.h"

namespace gdsd {

/// What stands for the likelihood of a rollout that is to become less likely.
enum class SpgBound { kElbo, kEubo, kMix, kZero };
constexpr auto enum_names(SpgBound) { return std::array{"elbo", "eubo", "mix", "zero"}; }

struct SpgOptions {
  static constexpr std::string_view kName = "spg";
  SpgBound bound = SpgBound::kMix;
  double gamma = 1.5;
  double omega = 0.5;
  MaskingOptions masking = {.pattern = Pattern::kBlockRandom,
                            .views = 2,
                            .coupled = false,
                            .weight = TokenWeight::kMean,
                            .tokens = TokenScope::kUntilEos,
                            .hide_rest = true};
  AdvantageOptions advantage = {.baseline = Baseline::kMean};

  static SpgOptions released() {
    SpgOptions o;
    o.masking.outside_block = o.masking.wrap_blocks = true;
    o.masking.prompt_rate = 0.15;
    return o;
  }
  template <class F>
  void fields(F&& f) {
    f("bound", bound, "what stands for the likelihood where A ≤ 0; mix is ω EUBO + (1 − ω) ELBO");
    f("gamma", gamma, "γ of the EUBO, the papers' β");
    f("omega", omega, "ω of mix");
    f("masking", masking, "");
    f("advantage", advantage, "");
  }
  void validate() const {
    check_field(gamma > 0, "gamma", "must be positive, got ", gamma, ".");
    check_field(omega >= 0 && omega <= 1, "omega", "got ", omega, ", expected 0 … 1.");
    check_field(masking.weight == TokenWeight::kMean, "masking.weight",
                "both bounds are means over hidden tokens: expected mean.");
  }
  bool needs_old() const { return false; }
  bool needs_reference() const { return false; }
  bool needs_elbo() const { return false; }
};

/// The EUBO of each rollout, [B]; 0 where no view scores a token.
inline Tensor eubo(const Batch& b, double gamma) {
  const Tensor length = b.completion.sum(-1, true).to(b.log_p.scalar_type());  // [B, 1]
  const Tensor u = (length * b.weight * (gamma * b.log_p).exp()).mean(0);      // [B, C]
  const Tensor some = u > 0;
  const Tensor log_u = at::where(some, u, at::ones_like(u)).log();
  return log_u.sum(-1) / (gamma * some.sum(-1).clamp_min(1));
}

struct SpgScores {
  Tensor elbo;   // e, [B]
  Tensor score;  // s, [B]
};
inline SpgScores spg_scores(const Batch& b, const SpgOptions& o) {
  const Tensor elbo = (b.weight * b.log_p).sum(-1).mean(0);
  Tensor down = elbo;
  if (o.bound == SpgBound::kZero) down = at::zeros_like(elbo);
  if (o.bound == SpgBound::kEubo) down = eubo(b, o.gamma);
  if (o.bound == SpgBound::kMix) down = o.omega * eubo(b, o.gamma) + (1 - o.omega) * elbo;
  return {elbo, at::where(b.advantage > 0, elbo, down)};
}

inline Loss loss(const Batch& b, const SpgOptions& o) {
  const auto [elbo, score] = spg_scores(b, o);
  const Tensor length = b.completion.sum(-1).to(score.scalar_type());
  return {.sum = -(length * b.advantage * score).sum(),
          .count = length.sum().item<double>(),
          .metrics = {{"entropy", -(length * elbo).sum().detach()}}};
}

}  // namespace gdsd
