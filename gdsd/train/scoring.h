// One optimiser step's worth of rollouts: masked views and what the denoisers say about them.
#pragma once

#include "gdsd/masking/scores.h"
#include "gdsd/objective/objective.h"

namespace gdsd {

struct Scored {
  Views views;
  Batch batch;  // what was scored without gradients; the rest is for the trainer to fill
};

/// Scores the views under the old denoiser and the reference, `micro` rollouts at a time, without
/// gradients. A null pointer leaves its part undefined.
Scored score_views(const Denoiser* old, const Denoiser* reference, const Views& views,
                   int64_t micro);

/// The same, `micro` rollouts at a time.
std::vector<Scored> split(const Scored& all, int64_t micro);

/// Σ weight · score of every rollout, the mean of its views → [B] float64, on the CPU.
Tensor score_rollouts(const Denoiser& denoiser, const Views& views, int64_t micro);

}  // namespace gdsd
