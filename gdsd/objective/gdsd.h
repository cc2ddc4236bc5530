// GDSD: Guided Denoiser Self-Distillation. Tang et al. 2026, arXiv:2605.29398.
//
//   π* ∝ π_old exp(ψ A)                              the advantage-guided self-teacher
//   S  = Σ_i w_i log p(x0_i | x_t)                   the denoiser's score of a rollout in one view
//   Δ  = (S_θ − S_old) / C
//   L  = Σ_b mean_k max{(Δ − ψA)², (clip(Δ) − ψA)²}  +  β KL(S_θ ‖ S_ref) / C
//
// With reference=teacher the reference is part of the teacher, π* ∝ π_old^(1−β) π_ref^β exp(ψ A):
// Δ = (S_θ − (1−β) S_old − β S_ref) / C, and no KL is added.
//
// clip(Δ) keeps within log(1 − ε_low) … log(1 + ε_high): the larger of the two errors has no
// gradient where a step would only carry Δ further out, and pulls back where Δ went too far. The
// released code clips the sum instead of Δ: a window C times tighter, without gradient outside.
#pragma once

#include <cmath>

#include "gdsd/advantage/advantage.h"
#include "gdsd/masking/masking.h"
#include "gdsd/objective/kl.h"
#include "gdsd/objective/objective.h"

namespace gdsd {

enum class GdsdClip {
  kOneSided,  // as above
  kTwoSided,  // (clip(Δ) − ψA)²: no gradient outside, whatever its direction
  kSum,       // (clip(C Δ)/C − ψA)²: as released
  kNone,      // (Δ − ψA)²
};
constexpr auto enum_names(GdsdClip) { return std::array{"one_sided", "two_sided", "sum", "none"}; }

/// Where β holds the reference.
enum class GdsdReference { kKl, kTeacher };
constexpr auto enum_names(GdsdReference) { return std::array{"kl", "teacher"}; }

struct GdsdOptions {
  static constexpr std::string_view kName = "gdsd";
  double psi = 1.0;
  double beta = 1e-3;
  GdsdReference reference = GdsdReference::kKl;
  double epsilon_low = 0.02;
  double epsilon_high = 0.02;
  GdsdClip clip = GdsdClip::kOneSided;
  Kl kl = Kl::kK2;
  bool sum_views = false;
  MaskingOptions masking = {};
  AdvantageOptions advantage = {};

  static GdsdOptions released() {
    return {.epsilon_low = 4e-4, .epsilon_high = 4e-4, .clip = GdsdClip::kSum, .sum_views = true};
  }
  template <class F>
  void fields(F&& f) {
    f("psi", psi, "ψ: how far the teacher leans towards the advantage");
    f("beta", beta, "β: weight of the reference, 0 for none");
    f("reference", reference, "a KL of its own, as released, or a factor of the teacher");
    f("epsilon_low", epsilon_low, "ε_low: trust region below the old denoiser");
    f("epsilon_high", epsilon_high, "ε_high: trust region above the old denoiser");
    f("clip", clip, "what the trust region does; sum is the released code's");
    f("kl", kl, "estimator of the KL");
    f("sum_views", sum_views, "add the policy terms of the views, as released, not their mean");
    f("masking", masking, "");
    f("advantage", advantage, "");
  }
  void validate() const {
    const bool teacher = reference == GdsdReference::kTeacher;
    check_field(beta >= 0 && (!teacher || beta <= 1), "beta", "got ", beta, ", expected ",
                teacher ? "0 … 1 with reference=teacher." : "0 or more.");
    check_field(epsilon_low >= 0 && epsilon_low < 1, "epsilon_low", "got ", epsilon_low,
                ", expected 0 ≤ ε < 1.");
    check_field(epsilon_high >= 0, "epsilon_high", "must not be negative, got ", epsilon_high, ".");
  }
  bool needs_old() const { return true; }
  bool needs_reference() const { return beta > 0; }
  bool needs_elbo() const { return false; }
};

inline Loss loss(const Batch& b, const GdsdOptions& o) {
  const auto C = static_cast<double>(b.log_p.size(-1));
  const double low = std::log1p(-o.epsilon_low), high = std::log1p(o.epsilon_high);
  const bool teacher = o.beta > 0 && o.reference == GdsdReference::kTeacher;

  const Tensor from = teacher ? (1 - o.beta) * b.log_p_old + o.beta * b.log_p_ref : b.log_p_old;
  const Tensor gap = (b.weight * (b.log_p - from)).sum(-1);  // [K, B]
  const Tensor clipped =
      o.clip == GdsdClip::kSum ? gap.clamp(low, high) / C : (gap / C).clamp(low, high);
  const Tensor target = o.psi * b.advantage;                 // [B]
  const Tensor free_error = (gap / C - target).square();     // [K, B]
  const Tensor clipped_error = (clipped - target).square();  // [K, B]
  const Tensor error = o.clip == GdsdClip::kNone       ? free_error
                       : o.clip == GdsdClip::kOneSided ? at::maximum(free_error, clipped_error)
                                                       : clipped_error;
  const Tensor stopped = o.clip == GdsdClip::kNone       ? at::zeros_like(gap)
                         : o.clip == GdsdClip::kOneSided ? clipped_error > free_error
                                                         : clipped != gap / C;
  const Tensor policy = o.sum_views ? error.sum(0) : error.mean(0);  // [B]
  Tensor divergence = at::zeros_like(policy);                        // [B]
  if (o.beta > 0) divergence = kl(o.kl, (b.weight * (b.log_p - b.log_p_ref)).sum(-1)).mean(0) / C;

  return {.sum = (teacher ? policy : policy + o.beta * divergence).sum(),
          .count = static_cast<double>(policy.numel()),
          .metrics = {{"kl", divergence.sum().detach()},
                      {"clipped", stopped.to(gap.scalar_type()).mean(0).sum()},
                      {"entropy", -(b.weight * b.log_p).detach().sum(-1).mean(0).sum() / C}}};
}

}  // namespace gdsd
