// What training and evaluation ask of each embedded task.
#pragma once

#include <vector>

#include "gdsd/data/task.h"
#include "gdsd/reward/reward.h"

namespace gdsd {

/// What a task is trained on.
std::vector<WeightedReward> rewards_for(const TaskOptions& options);

/// What evaluation counts. Over many attempts, the mean of `solved` is the accuracy, and
/// Σ right / Σ asked the accuracy per part.
struct Verdict {
  bool solved = false;  // all that was asked is right
  int right = 0;        // parts that are right
  int asked = 0;        // sudoku: the blank cells; countdown: 1, the expression
};

/// Throws Error for an example that is not of the task.
Verdict judge(const TaskOptions& options, const Attempt& attempt);

}  // namespace gdsd
