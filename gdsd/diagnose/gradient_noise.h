// How much of a method's gradient is the noise of its masks. With g_r the gradient of the method's
// loss over all rollouts in the parameters that are trained, at the denoiser that made them (the
// first inner step: nothing is clipped, no KL pulls), for mask draw r of R, each of K views:
//
//   noise = √( tr Cov(g) / ‖E g‖² ),   tr Cov = (Σ ‖g_r‖² − R ‖ḡ‖²) / (R − 1),
//                                      ‖E g‖² = ‖ḡ‖² − tr Cov / R
//
// 1: a draw's gradient is as far from the mean of all draws as that is long. Both are unbiased, and
// neither needs more than one gradient in memory besides the sum.
#pragma once

#include <span>

#include "gdsd/denoiser/transformer.h"
#include "gdsd/diagnose/draws.h"
#include "gdsd/objective/objectives.h"

namespace gdsd {

struct GradientNoise {
  double size = 0;   // ‖E g‖, NaN if the noise drowns it
  double noise = 0;  // as above, NaN likewise
};

/// Over `draws`, the first K views of each; `batch` masked sequences at most in a pass.
GradientNoise gradient_noise(const Transformer& old, std::span<const Draw> draws, int64_t K,
                             const ObjectiveOptions& objective, int64_t batch);

}  // namespace gdsd
