// From rewards to advantages: everything that couples the rollouts of one group.
#pragma once

#include <array>
#include <span>

#include "gdsd/base/fields.h"
#include "gdsd/tensor/tensor.h"

namespace gdsd {

enum class Baseline {
  kLeaveOneOut,  // A_i = r_i − mean of the other G − 1 = G/(G−1) · (r_i − mean); GDSD, ESPO
  kMean,         // A_i = r_i − mean; d1, wd1, SPG
};
constexpr auto enum_names(Baseline) { return std::array{"leave_one_out", "mean"}; }

/// What advantages are divided by.
enum class Scale {
  kNone,
  kStd,            // the group's unbiased standard deviation + 1e-4; GRPO
  kPopulationStd,  // the population standard deviation, 0 / 0 = 0; TraceRL
};
constexpr auto enum_names(Scale) { return std::array{"none", "std", "population_std"}; }

struct AdvantageOptions {
  Baseline baseline = Baseline::kLeaveOneOut;
  Scale scale = Scale::kNone;

  template <class F>
  void fields(F&& f) {
    f("baseline", baseline, "what a rollout's reward is compared with");
    f("scale", scale, "what the difference is divided by");
  }
};

/// rewards [B], in groups of G → advantages [B] float64, on the CPU.
Tensor advantage(std::span<const double> rewards, int64_t G, const AdvantageOptions& options);

/// The fraction of groups whose rewards are all equal: they teach nothing.
double zero_variance_groups(std::span<const double> rewards, int64_t G);

}  // namespace gdsd
