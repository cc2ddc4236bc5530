// Runs every reward on every attempt, in parallel.
#include "gdsd/reward/reward.h"

#include <cmath>
#include <set>

#include "gdsd/base/check.h"
#include "gdsd/base/parallel.h"

namespace gdsd {
namespace {

using Parts = std::vector<std::optional<double>>;

/// Each reward of one attempt.
Parts parts_of(const Attempt& attempt, std::span<const WeightedReward> rewards) {
  Parts parts;
  for (const WeightedReward& r : rewards) {
    const auto fail = [&](std::string_view what) {
      throw Error(concat("[score] ", attempt.example->source, ": reward '", r.name, "' ", what));
    };
    std::optional<double> value;
    try {
      value = r.reward(attempt);
    } catch (const std::exception& e) {
      fail(concat("threw: ", e.what()));
    } catch (...) {
      fail("threw something that is not a std::exception.");
    }
    if (value && !std::isfinite(*value)) fail(concat("is ", *value, ", expected a finite number."));
    parts.push_back(value);
  }
  return parts;
}

}  // namespace

Scores score(std::span<const Attempt> attempts, std::span<const WeightedReward> rewards,
             int threads) {
  std::set<std::string> names;
  for (const WeightedReward& r : rewards)
    check(names.insert(r.name).second, "[score] two rewards are called '", r.name,
          "', expected a name each: it is their metric.");

  std::vector<Parts> parts(attempts.size());
  for_each_index(attempts.size(), threads,
                 [&](size_t b) { parts[b] = parts_of(attempts[b], rewards); });

  Scores scores{.total = std::vector<double>(attempts.size()), .parts = {}, .mean = {}};
  for (size_t r = 0; r < rewards.size(); ++r) {
    double sum = 0, count = 0;
    for (size_t b = 0; b < attempts.size(); ++b) {
      if (!parts[b][r]) continue;
      scores.total[b] += rewards[r].weight * *parts[b][r];
      sum += *parts[b][r];
      ++count;
    }
    if (count > 0) scores.mean[rewards[r].name] = sum / count;
  }
  scores.parts = std::move(parts);
  return scores;
}

}  // namespace gdsd
