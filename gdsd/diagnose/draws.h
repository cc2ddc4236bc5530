// Masks of one method drawn several times over, and what two denoisers say behind each of them.
#pragma once

#include "gdsd/train/scoring.h"

namespace gdsd {

/// One draw of masks over all rollouts, scored twice.
struct Draw {
  Views views;
  Batch batch;       // log_p_old: under the old denoiser. The rest but log_p is filled in
  Tensor log_p_new;  // [K, B, C] under the new one
};

/// The first K views alone: what a draw of K views with the same key would have been.
Views first_views(const Views& views, int64_t K);

/// A draw's batch of the first K views, with the old denoiser as old and as reference, and `log_p`
/// [≥ K, B, C] as present.
Batch batch_of(const Draw& draw, const Tensor& log_p, int64_t K);

/// How many tokens of the completion were hidden where each asked token was asked for: [K, B, C]
/// int64, 0 where none was.
Tensor hidden_counts(const Views& views);

}  // namespace gdsd
