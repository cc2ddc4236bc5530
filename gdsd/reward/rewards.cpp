// From a task's options to its reward and its verdict.
#include "gdsd/reward/rewards.h"

#include "gdsd/reward/countdown.h"
#include "gdsd/reward/sudoku.h"

namespace gdsd {
namespace {

Reward reward_of(const SudokuOptions&) { return sudoku_reward; }
Reward reward_of(const CountdownOptions&) { return countdown_reward; }

Verdict verdict(const SudokuOptions&, const Attempt& attempt) {
  const auto [right, blanks] = blanks_right(attempt);
  return {.solved = right == blanks, .right = right, .asked = blanks};
}

Verdict verdict(const CountdownOptions&, const Attempt& attempt) {
  const bool solved = reaches_target(attempt);
  return {.solved = solved, .right = solved ? 1 : 0, .asked = 1};
}

}  // namespace

std::vector<WeightedReward> rewards_for(const TaskOptions& options) {
  return std::visit(
      [](const auto& o) {
        return std::vector<WeightedReward>{{std::string(o.kName), /*weight=*/1.0, reward_of(o)}};
      },
      options);
}

Verdict judge(const TaskOptions& options, const Attempt& attempt) {
  return std::visit([&](const auto& o) { return verdict(o, attempt); }, options);
}

}  // namespace gdsd
