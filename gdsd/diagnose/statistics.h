// How well one number stands for another, over rollouts.
#pragma once

#include "gdsd/tensor/tensor.h"

namespace gdsd {

/// Of x, a score, against y, the truth, [B] float64 each. NaN where there is nothing to divide by.
struct Agreement {
  double correlation = 0;
  double within = 0;  // correlation within groups: of what is left without the group's means
  double slope = 0;   // least squares: nats of y for a nat of x
  double bias = 0;    // mean of x − y, nats
  double error = 0;   // standard error of the bias
};
Agreement agreement(const Tensor& x, const Tensor& y, int64_t G);

/// The unbiased variance over draws, mean over rollouts: x [R, B] float64. 0 of one draw.
double variance_over_draws(const Tensor& x);

}  // namespace gdsd
