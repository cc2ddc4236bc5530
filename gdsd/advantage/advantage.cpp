#include "gdsd/advantage/advantage.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace gdsd {

namespace {

bool all_equal(std::span<const double> r) {
  return std::adjacent_find(r.begin(), r.end(), std::not_equal_to<>()) == r.end();
}

double mean_of(std::span<const double> r) {
  return std::accumulate(r.begin(), r.end(), 0.0) / static_cast<double>(r.size());
}

/// Divides the squared deviations by n − `correction`.
double standard_deviation(std::span<const double> r, double correction) {
  const double mean = mean_of(r);
  double squares = 0;
  for (double x : r) squares += (x - mean) * (x - mean);
  return std::sqrt(squares / (static_cast<double>(r.size()) - correction));
}

double divisor(std::span<const double> group, Scale scale) {
  switch (scale) {
    case Scale::kNone: return 1;
    case Scale::kStd: return standard_deviation(group, 1) + 1e-4;
    case Scale::kPopulationStd: return standard_deviation(group, 0);
  }
  throw std::logic_error("[advantage] unhandled Scale");
}

Tensor differences(std::span<const double> rewards, int64_t G, const AdvantageOptions& o) {
  check(G > 1 || o.baseline != Baseline::kLeaveOneOut,
        "[advantage] leave_one_out needs groups of two or more, got ", G, ".");
  std::vector<double> out;
  for (size_t b = 0; b < rewards.size(); b += G) {
    const auto group = rewards.subspan(b, G);
    if (all_equal(group)) {  // says nothing, and by rounding ±1 after a division
      out.insert(out.end(), G, 0.0);
      continue;
    }
    const double sum = std::accumulate(group.begin(), group.end(), 0.0);
    const double by = divisor(group, o.scale), n = static_cast<double>(G);
    for (double r : group) {
      const double baseline = o.baseline == Baseline::kLeaveOneOut ? (sum - r) / (n - 1) : sum / n;
      out.push_back((r - baseline) / by);
    }
  }
  return to_tensor(out);
}

/// γ in 0.01 … 0.99 whose weights have this effective share of the samples, which falls with γ.
double fit_coefficient(const Tensor& exponents, double share) {
  const auto n = static_cast<double>(exponents.numel());
  double low = 0.01, high = 0.99;
  for (int i = 0; i < 60; ++i) {
    const double middle = (low + high) / 2;
    const bool enough = effective_sample_size((middle * exponents).softmax(0)) >= share * n;
    (enough ? low : high) = middle;
  }
  return low;
}

Tensor centre(const SoftmaxWeights& w, const Tensor& current, Centring centring) {
  switch (centring) {
    case Centring::kNone: return at::zeros_like(w.positive);
    case Centring::kNegative: return w.negative;
    case Centring::kMean: return w.positive.mean().expand_as(w.positive);
    case Centring::kCurrent:
      check(current.defined(),
            "[advantage] centring=current needs the present ELBO of the rollouts.");
      return current.softmax(0);
  }
  throw std::logic_error("[advantage] unhandled Centring");
}

Tensor weights(std::span<const double> rewards, int64_t G, const AdvantageOptions& o,
               const LogRatios& ratios) {
  check(!o.reference || ratios.reference.defined(),
        "[advantage] reference=true needs the ELBO of the rollouts under the reference.");
  const auto B = static_cast<int64_t>(rewards.size());
  const int64_t shared = o.softmax_over == SoftmaxOver::kGroup ? G : B;
  const Tensor r = to_tensor(std::vector<double>(rewards.begin(), rewards.end()));
  std::vector<Tensor> out;
  for (int64_t b = 0; b < B; b += shared) {
    const auto rows = [&](const Tensor& x) { return x.defined() ? x.slice(0, b, b + shared) : x; };
    // Over a whole step rewards are compared within groups first, as released.
    const Tensor baseline = rows(r).view({-1, G}).mean(1, true).expand({-1, G}).flatten();
    const SoftmaxWeights w =
        softmax_weights(rows(r) - baseline, o.reference ? rows(ratios.reference) : Tensor(), o);
    out.push_back(centred(w, rows(ratios.current), o));
  }
  return at::cat(out);
}

}  // namespace

void AdvantageOptions::validate() const {
  check_field(alpha > 0, "alpha", "must be positive, got ", alpha, ".");
  check_field(coefficient >= 0, "coefficient", "must not be negative, got ", coefficient, ".");
  check_field(target_ess >= 0 && target_ess <= 1, "target_ess", "got ", target_ess,
              ", expected 0 … 1.");
  check_field(centring_strength >= 0, "centring_strength", "must not be negative, got ",
              centring_strength, ".");
}

SoftmaxWeights softmax_weights(const Tensor& rewards, const Tensor& reference_ratio,
                               const AdvantageOptions& o) {
  const Tensor rho = reference_ratio.defined() ? reference_ratio : at::zeros_like(rewards);
  const Tensor up = rho + rewards / o.alpha, down = rho - rewards / o.alpha;
  const double gamma = o.target_ess > 0 ? fit_coefficient(up, o.target_ess) : o.coefficient;
  return {(gamma * up).softmax(0), (gamma * down).softmax(0), gamma};
}

Tensor centred(const SoftmaxWeights& w, const Tensor& current, const AdvantageOptions& o) {
  const auto n = static_cast<double>(w.positive.numel());
  return (o.unit_sum ? 1 : n) * (w.positive - o.centring_strength * centre(w, current, o.centring));
}

double effective_sample_size(const Tensor& weights) {
  return 1 / weights.square().sum().item<double>();
}

Tensor advantage(std::span<const double> rewards, int64_t G, const AdvantageOptions& o,
                 const LogRatios& ratios) {
  const auto B = static_cast<int64_t>(rewards.size());
  check(G > 0 && B % G == 0, "[advantage] ", B, " rewards are not whole groups of ", G, ".");
  return o.contrast == Contrast::kDifference ? differences(rewards, G, o)
                                             : weights(rewards, G, o, ratios);
}

double zero_variance_groups(std::span<const double> rewards, int64_t G) {
  int64_t equal = 0;
  for (size_t b = 0; b < rewards.size(); b += G) {
    equal += all_equal(rewards.subspan(b, G));
  }
  return static_cast<double>(equal * G) / static_cast<double>(rewards.size());
}

}  // namespace gdsd
