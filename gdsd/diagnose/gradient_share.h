// Where a method's gradient comes from, and what its trust region stops.
//
// The loss weighs the token y by |dL/d log p|. Its gradient in the logits is that times
// ‖e_y − p‖, which lies between 1 − p(y) and √2 (1 − p(y)): a token that is certain moves nothing,
// whatever its weight.
#pragma once

#include <optional>
#include <span>

#include "gdsd/diagnose/draws.h"
#include "gdsd/objective/objectives.h"

namespace gdsd {

constexpr int64_t kBins = 8;  // of mask counts

/// Shares, of 1 in all; NaN where there is nothing to share.
struct Shares {
  std::vector<double> by_count;  // [kBins] tokens predicted with up to 1/8, 2/8, … of C hidden
  double after_eos = 0;          // behind the first EOS
};

struct GradientShare {
  Shares loss_weight;  // of Σ |dL/d log p|
  Shares gradient;     // of Σ |dL/d log p| (1 − p); of centred logits the same as loss_weight
};

/// Over all draws, K views each.
struct LossFigures {
  GradientShare old, present;     // at the old denoiser (the first inner step), at the new one
  std::vector<double> tokens;     // [kBins] of all tokens asked for, how many are in each bin
  std::optional<double> clipped;  // fraction that the trust region stops, at the new denoiser
};

/// `advantage` [B] is that at the new denoiser.
LossFigures loss_figures(std::span<const Draw> draws, int64_t K, const ObjectiveOptions& objective,
                         const Tensor& advantage);

}  // namespace gdsd
