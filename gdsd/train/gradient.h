// The gradient of an objective on rollouts that were scored: what stands between the look back and
// the optimiser.
#pragma once

#include "gdsd/objective/objectives.h"
#include "gdsd/train/backward.h"
#include "gdsd/train/scoring.h"

namespace gdsd {

/// Scores the views of `pass` again, `micro` rollouts at a time and dealt to the workers, and leaves
/// in `denoiser` the gradient of Σ loss. Where log_p_old is undefined the old denoiser is the
/// present one. → sums over all rollouts; the count is 1 at least.
Loss loss_and_gradient(const Transformer& denoiser, const Scored& pass,
                       const ObjectiveOptions& objective, int64_t micro);

}  // namespace gdsd
