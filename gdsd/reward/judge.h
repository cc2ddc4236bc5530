// How the answers to a task are judged: what training adds up, and what evaluation counts.
#pragma once

#include "gdsd/data/task.h"
#include "gdsd/reward/reward.h"

namespace gdsd {

/// What evaluation counts of one answer. Over many, the mean of `solved` is the accuracy,
/// Σ right / Σ asked the accuracy per part, and Σ released_right / Σ released_asked what the
/// released evaluation reports.
struct Verdict {
  bool solved = false;       // all that was asked is right
  int right = 0;             // parts that are right
  int asked = 0;             // sudoku: the blank cells; code: the tests; others: 1
  int released_right = 0;    // the same by the released parser
  int released_asked = 0;    // 0 for a task without one
  std::string outcome = {};  // of a program: passed, failed, timeout, crashed or refused
};

/// Holds what judging needs, such as the sandbox that programs run in: one for a run. Threads may
/// share it.
class Judge {
 public:
  /// Throws FieldError for rewards that the task does not have, Error where no sandbox can be had.
  explicit Judge(const TaskOptions& options);

  const std::vector<WeightedReward>& rewards() const { return rewards_; }

  /// Throws Error for an example that is not of the task.
  Verdict verdict(const Attempt& attempt) const { return verdict_(attempt); }

 private:
  std::vector<WeightedReward> rewards_;
  std::function<Verdict(const Attempt&)> verdict_;
};

}  // namespace gdsd
