// wd1: weighted log-likelihood, without ratios. Tang et al. 2025, arXiv:2507.08838.
//
//   L = Σ_b −A_b Σ_i log p(x0_i | x_t),   A_b = G (softmax(A)_b − softmax(−A)_b) of its group
//
// The whole completion is hidden. centring=none is the variant that only follows good rollouts.
#pragma once

#include "gdsd/advantage/advantage.h"
#include "gdsd/masking/masking.h"
#include "gdsd/objective/objective.h"

namespace gdsd {

struct Wd1Options {
  static constexpr std::string_view kName = "wd1";
  MaskingOptions masking = {
      .pattern = Pattern::kFull, .coupled = false, .tokens = TokenScope::kUntilEos};
  AdvantageOptions advantage = {.contrast = Contrast::kSoftmax};

  static Wd1Options released() {
    Wd1Options o;
    o.masking.prompt_rate = 0.15;
    o.advantage.softmax_over = SoftmaxOver::kStep;
    return o;
  }
  template <class F>
  void fields(F&& f) {
    f("masking", masking, "");
    f("advantage", advantage, "");
  }
  bool needs_old() const { return false; }
  bool needs_reference() const { return false; }
  bool needs_elbo() const { return false; }
};

inline Loss loss(const Batch& b, const Wd1Options&) {
  const Tensor score = (b.weight * b.log_p).sum(-1).mean(0);  // [B]
  return {.sum = -(b.advantage * score).sum(),
          .count = static_cast<double>(score.numel()),
          .metrics = {{"entropy", -score.sum().detach() / static_cast<double>(b.log_p.size(-1))}}};
}

}  // namespace gdsd
