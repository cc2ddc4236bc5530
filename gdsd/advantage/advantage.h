// From rewards to advantages: everything that couples the rollouts of one group.
//
//   difference   A_i = (r_i − baseline) / scale                       GDSD, ESPO, SPG, …-GRPO, TraceRL
//   softmax      A_i = G (w⁺_i − centre_i),  w± = softmax(γ (ρ_i ± r_i/α))                   wd1, DMPO
//
// ρ_i = ELBO_ref − ELBO_old of rollout i: with it the weights are those of π_ref exp(r/α). The
// factor G makes a mean over rollouts of what is a sum over a group in the papers.
#pragma once

#include <array>
#include <span>

#include "gdsd/masking/masking.h"

namespace gdsd {

enum class Baseline {
  kLeaveOneOut,  // A_i = r_i − mean of the other G − 1 = G/(G−1) · (r_i − mean); GDSD, ESPO
  kMean,         // A_i = r_i − mean; d1, SPG
};
constexpr auto enum_names(Baseline) { return std::array{"leave_one_out", "mean"}; }

/// What advantages are divided by.
enum class Scale {
  kNone,
  kStd,            // the group's unbiased standard deviation + 1e-4; GRPO
  kPopulationStd,  // the population standard deviation, 0 / 0 = 0; TraceRL
};
constexpr auto enum_names(Scale) { return std::array{"none", "std", "population_std"}; }

enum class Contrast { kDifference, kSoftmax };
constexpr auto enum_names(Contrast) { return std::array{"difference", "softmax"}; }

/// What is taken from w⁺.
enum class Centring {
  kNone,      // nothing: no rollout is pushed down
  kNegative,  // w⁻
  kMean,      // the group's mean of w⁺
  kCurrent,   // softmax(ELBO_θ − ELBO_old), anew at every inner step
};
constexpr auto enum_names(Centring) { return std::array{"none", "negative", "mean", "current"}; }

/// Which rollouts share one softmax.
enum class SoftmaxOver { kGroup, kStep };
constexpr auto enum_names(SoftmaxOver) { return std::array{"group", "step"}; }

struct AdvantageOptions {
  Contrast contrast = Contrast::kDifference;
  Baseline baseline = Baseline::kLeaveOneOut;
  Scale scale = Scale::kNone;
  double alpha = 1;
  double coefficient = 1;
  double target_ess = 0;
  bool reference = false;
  SoftmaxOver softmax_over = SoftmaxOver::kGroup;
  Centring centring = Centring::kNegative;
  double centring_strength = 1;
  bool unit_sum = false;
  MaskingOptions elbo = {.views = 2, .weight = TokenWeight::kElbo};

  template <class F>
  void fields(F&& f) {
    f("contrast", contrast, "rewards are compared by their difference, or through a softmax");
    f("baseline", baseline, "difference: what a rollout's reward is compared with");
    f("scale", scale, "difference: what it is divided by");
    f("alpha", alpha, "softmax: α, the temperature of the rewards");
    f("coefficient", coefficient, "softmax: γ, a factor on its exponents");
    f("target_ess", target_ess,
      "softmax: choose γ in 0.01 … 0.99 so that 1/Σ w⁺² is this share of the group; 0 for γ as "
      "given");
    f("reference", reference,
      "softmax: add ELBO_ref − ELBO_old to the exponents, at two more passes");
    f("softmax_over", softmax_over, "softmax: group, or step as the released wd1 on one device");
    f("centring", centring, "softmax: what is taken from the weights");
    f("centring_strength", centring_strength, "softmax: a factor on what is taken");
    f("unit_sum", unit_sum,
      "softmax: weights add up to one in a group, not to its size, as in DMPO's released ddo");
    f("elbo", elbo, "");
  }
  void validate() const;

  bool needs_reference() const { return contrast == Contrast::kSoftmax && reference; }
  bool needs_current() const {
    return contrast == Contrast::kSoftmax && centring == Centring::kCurrent;
  }
};

/// What the denoisers say of the rollouts, [B] float64 each; undefined where no option asks.
struct LogRatios {
  Tensor reference = {};  // ELBO_ref − ELBO_old
  Tensor current = {};    // ELBO_θ − ELBO_old
};

/// rewards [B], in groups of G → advantages [B] float64, on the CPU.
Tensor advantage(std::span<const double> rewards, int64_t G, const AdvantageOptions& options,
                 const LogRatios& ratios = {});

/// Softmax weights w⁺ and w⁻ of one group, and the γ that made them.
struct SoftmaxWeights {
  Tensor positive, negative;  // [G] float64
  double coefficient = 1;
};
SoftmaxWeights softmax_weights(const Tensor& rewards, const Tensor& reference_ratio,
                               const AdvantageOptions& options);

/// G (w⁺ − strength · centre); `current` is the group's ELBO_θ − ELBO_old, for Centring::kCurrent.
Tensor centred(const SoftmaxWeights& weights, const Tensor& current,
               const AdvantageOptions& options);

/// 1/Σ w² of weights that sum to one: how many of them count.
double effective_sample_size(const Tensor& weights);

/// The fraction of groups whose rewards are all equal: they teach nothing.
double zero_variance_groups(std::span<const double> rewards, int64_t G);

}  // namespace gdsd
