// How the answers to a task are judged: what training adds up, and what evaluation counts.
#pragma once

#include "gdsd/data/task.h"
#include "gdsd/reward/reward.h"

namespace gdsd {

struct Judged {
  Scores scores;
  std::vector<Verdict> verdicts;  // [B]
};

/// Holds what judging needs, such as the sandbox that programs run in: one for a run. Threads may
/// share it.
class Judge {
 public:
  /// Throws FieldError for rewards that the task does not have, Error where no sandbox can be had.
  explicit Judge(const TaskOptions& options);

  const std::vector<WeightedReward>& rewards() const { return rewards_; }

  /// Throws Error, naming the example, for one that is not of the task.
  Verdict verdict(const Attempt& attempt) const;

  /// Rewards and verdicts of all, on `threads` threads; each program is run once.
  Judged judge(std::span<const Attempt> attempts, int threads) const;

 private:
  std::vector<WeightedReward> rewards_;
  std::function<Verdict(const Attempt&)> verdict_;
};

}  // namespace gdsd
