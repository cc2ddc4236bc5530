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

}  // namespace

Tensor advantage(std::span<const double> rewards, int64_t G, const AdvantageOptions& o) {
  const auto B = static_cast<int64_t>(rewards.size());
  check(G > 0 && B % G == 0, "[advantage] ", B, " rewards are not whole groups of ", G, ".");
  check(G > 1 || o.baseline != Baseline::kLeaveOneOut,
        "[advantage] leave_one_out needs groups of "
        "two or more, got ",
        G, ".");
  std::vector<double> out;
  for (int64_t b = 0; b < B; b += G) {
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

double zero_variance_groups(std::span<const double> rewards, int64_t G) {
  int64_t equal = 0;
  for (size_t b = 0; b < rewards.size(); b += G) {
    equal += all_equal(rewards.subspan(b, G));
  }
  return static_cast<double>(equal * G) / static_cast<double>(rewards.size());
}

}  // namespace gdsd
