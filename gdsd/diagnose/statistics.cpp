#include "gdsd/diagnose/statistics.h"

#include <cmath>
#include <limits>

namespace gdsd {

namespace {

double sum_of(const Tensor& x) { return x.sum().item<double>(); }

/// x [R, n] without the mean over what has the same number in `group` [n].
Tensor less_means(const Tensor& x, const Tensor& group) {
  const Tensor count = group.bincount();
  const Tensor sums = at::zeros({x.size(0), count.size(0)}, x.options()).index_add_(1, group, x);
  return x - (sums / count).index_select(1, group);
}

/// Of centred draws [R, n].
double reliability(const Tensor& x) {
  const auto R = static_cast<double>(x.size(0));
  const Tensor mean = x.mean(0);
  const double all = sum_of(mean.square());
  if (!(all > 0)) return NAN;
  const double noise = R < 2 ? 0 : sum_of((x - mean).square()) / (R * (R - 1));
  return std::max(0.0, 1 - noise / all);
}

double or_nan(double reliability) { return reliability < kLeastReliability ? NAN : reliability; }

/// Of centred draws [R, n] with the centred truth [n].
double correlation(const Tensor& x, const Tensor& y, double reliability) {
  const Tensor mean = x.mean(0);
  return sum_of(mean * y) / std::sqrt(sum_of(mean.square()) * sum_of(y.square())) /
         std::sqrt(or_nan(reliability));
}

/// The standard error of the mean of `gap` [n], whose groups are independent.
double group_error(const Tensor& gap, const Tensor& group) {
  const Tensor count = group.bincount();
  const Tensor sums = at::zeros({count.size(0)}, gap.options()).index_add_(0, group, gap);
  const Tensor means = (sums / count).masked_select(count > 0);
  const int64_t n = means.numel();
  if (n < 2) return NAN;
  return means.std(0, /*unbiased=*/true).item<double>() / std::sqrt(static_cast<double>(n));
}

}  // namespace

Agreement agreement(const Tensor& draws, const Tensor& truth, int64_t G) {
  const Tensor used = truth.isfinite().nonzero().squeeze(1);
  if (used.numel() == 0) return {NAN, NAN, NAN, NAN, NAN, NAN, NAN};
  const Tensor group = used.floor_divide(G), all = at::zeros_like(group);
  const Tensor x = draws.index_select(1, used), y = truth.index_select(0, used).unsqueeze(0);
  const Tensor dx = less_means(x, all), dy = less_means(y, all)[0], gap = x.mean(0) - y[0];
  const Tensor inner = less_means(x, group);
  Agreement a{.reliability = reliability(dx), .reliability_within = reliability(inner)};
  a.correlation = correlation(dx, dy, a.reliability);
  a.within = correlation(inner, less_means(y, group)[0], a.reliability_within);
  a.slope = sum_of(dx.mean(0) * dy) / sum_of(dx.mean(0).square()) / or_nan(a.reliability);
  a.bias = gap.mean().item<double>();
  a.error = group_error(gap, group);
  return a;
}

Spread spread(const Tensor& draws) {
  const Tensor x = draws - draws.mean(1, /*keepdim=*/true);
  const double r = reliability(x);
  const double raw = sum_of(x.mean(0).square()) / static_cast<double>(x.size(1) - 1);
  return {.sd = std::sqrt(raw * or_nan(r)), .reliability = r};
}

double variance_over_draws(const Tensor& x) {
  return x.size(0) < 2 ? 0 : x.var(0, /*unbiased=*/true).mean().item<double>();
}

RatioMeans ratio_means(const Tensor& d, const Tensor& asked) {
  const Tensor n = asked.sum(0).to(at::kDouble);  // [B, T]
  const Tensor log_mean =
      d.masked_fill(asked.logical_not(), -std::numeric_limits<double>::infinity()).logsumexp(0) -
      n.log();
  const Tensor mean_log = (d * asked).sum(0) / n;
  auto over_units = [&](const Tensor& x) {  // of those asked for
    return at::where(n > 0, x, at::zeros_like(x)).sum(1) / (n > 0).sum(1);
  };
  return {over_units(log_mean), over_units(mean_log)};
}

double finite_mean(const Tensor& x) { return x.masked_select(x.isfinite()).mean().item<double>(); }

}  // namespace gdsd
