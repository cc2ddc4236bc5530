#include "gdsd/diagnose/statistics.h"

#include <cmath>

namespace gdsd {

namespace {

double correlation(const Tensor& x, const Tensor& y) {
  const Tensor both = (x.square().sum() * y.square().sum()).sqrt();
  return ((x * y).sum() / both).item<double>();
}

}  // namespace

Agreement agreement(const Tensor& x, const Tensor& y, int64_t G) {
  const Tensor dx = x - x.mean(), dy = y - y.mean(), gap = x - y;
  auto less_group = [G](const Tensor& v) {
    const Tensor groups = v.view({-1, G});
    return (groups - groups.mean(1, /*keepdim=*/true)).flatten();
  };
  return {.correlation = correlation(dx, dy),
          .within = correlation(less_group(x), less_group(y)),
          .slope = ((dx * dy).sum() / dx.square().sum()).item<double>(),
          .bias = gap.mean().item<double>(),
          .error = gap.std(0, /*unbiased=*/true).item<double>() /
                   std::sqrt(static_cast<double>(x.numel()))};
}

double variance_over_draws(const Tensor& x) {
  return x.size(0) < 2 ? 0 : x.var(0, /*unbiased=*/true).mean().item<double>();
}

}  // namespace gdsd
