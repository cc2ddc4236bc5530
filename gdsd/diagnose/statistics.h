// How well one number stands for another, over rollouts, where the first is known from noisy draws.
//
// The mean over R draws of a score still has a draw's noise over R in its variance between
// rollouts, which correlations and slopes would be too small by. With x_r the draws less the mean
// over rollouts (or over the group's) and x̄ their mean,
//
//   reliability = max(0, 1 − Σ_r ‖x_r − x̄‖² / (R (R − 1)) / ‖x̄‖²)      1 of a single draw
//
// is the share that is not noise: correlations are divided by its root, slopes by itself. For
// rollouts with masks of their own it is 1 − sd²/R over the variance of x̄; this holds as well where
// a group shares its mask counts.
#pragma once

#include "gdsd/tensor/tensor.h"

namespace gdsd {

/// With less the noise hides what there is: NaN.
constexpr double kLeastReliability = 0.2;

/// Of R draws of a score, [R, B], against the truth [B]; float64. A rollout whose truth is not
/// finite is left out. NaN where there is nothing to divide by.
struct Agreement {
  double correlation = 0;  // without the noise of the draws: by chance beyond 1
  double within = 0;       // the same within groups: of what is left without the group's means
  double slope = 0;        // least squares, likewise: nats of truth for a nat of score
  double bias = 0;         // mean of score − truth, nats
  double error = 0;        // standard error of the bias, of groups that are independent
  double reliability = 0, reliability_within = 0;
};
Agreement agreement(const Tensor& draws, const Tensor& truth, int64_t G);

/// Of a score between rollouts, [R, B]: the noise of the draws taken off.
struct Spread {
  double sd = 0;  // NaN below kLeastReliability
  double reliability = 0;
};
Spread spread(const Tensor& draws);

/// The unbiased variance over draws, mean over rollouts: x [R, B] float64. 0 of one draw.
double variance_over_draws(const Tensor& x);

/// Of ratios ρ = e^d, [B] each: means over those of a rollout that any draw asked for, NaN if none.
struct RatioMeans {
  Tensor log_mean;  // of log mean_r ρ
  Tensor mean_log;  // of mean_r d
};
/// d and `asked` (bool) [R, B, T]: R draws of T ratios of each rollout.
RatioMeans ratio_means(const Tensor& d, const Tensor& asked);

/// The mean of those that are finite, NaN if none is.
double finite_mean(const Tensor& x);

}  // namespace gdsd
