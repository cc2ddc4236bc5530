// Rewards: plain functions from text to a number. No torch in this folder.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "gdsd/data/example.h"

namespace gdsd {

/// What evaluation counts of one answer. Over many, the mean of `solved` is the accuracy,
/// Σ right / Σ asked the accuracy per part, and Σ released_right / Σ released_asked what the
/// released evaluation reports.
struct Verdict {
  std::optional<double> own = {};  // the task's own reward
  bool solved = false;             // all that was asked is right
  int right = 0;                   // parts that are right
  int asked = 0;                   // sudoku: the blank cells; code: the tests; others: 1
  int released_right = 0;          // the same by the released parser
  int released_asked = 0;          // 0 for a task without one
  std::string outcome = {};        // of a program: passed, failed, timeout or crashed
};

/// The text of one rollout next to the problem it tried to solve.
struct Attempt {
  const Example* example = nullptr;
  std::string completion;       // decoded up to the first EOS, without special tokens
  std::string generation = {};  // decoded whole, with them; some released parsers look for them
  const Verdict* verdict = nullptr;  // if it was found before the rewards, which then take it
};

/// Scores one attempt. No globals, no randomness, no printing: calls run in parallel.
/// nullopt means the reward does not apply to this example. It is not 0, which is a wrong answer.
using Reward = std::function<std::optional<double>(const Attempt&)>;

struct WeightedReward {
  std::string name;  // the metric it is logged under
  double weight = 1.0;
  Reward reward;
};

struct Scores {
  std::vector<double> total;  // [B] Σ weight · reward, over the rewards that apply
  std::vector<std::vector<std::optional<double>>> parts;  // [B][rewards] unweighted
  std::map<std::string, double> mean;  // per reward, over the attempts it applies to
};

/// Runs the rewards on `threads` threads; 0 and 1 mean the caller's own.
/// Throws Error naming the example and the reward when one throws, or answers NaN or infinity: of
/// several such attempts about the first, whatever the number of threads.
Scores score(std::span<const Attempt> attempts, std::span<const WeightedReward> rewards,
             int threads = 1);

}  // namespace gdsd
