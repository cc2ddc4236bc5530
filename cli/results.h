// Finished runs, read back from their folders and grouped by what they have in common.
#pragma once

#include <filesystem>

#include "gdsd/train/train.h"

namespace gdsd {

/// (step, value), steps ascending.
using Curve = std::vector<std::pair<double, double>>;

struct RunResult {
  std::filesystem::path folder;
  TrainConfig config;
  Curve reward;                             // of steps 1, 2, …
  Curve solved;                             // eval/solved, from step 0
  double base_solved = 0, base_cell = 0;    // the evaluation before the first step
  double final_solved = 0, final_cell = 0;  // and after the last
  double seconds = 0;                       // of work

  /// Area under the reward curve: the mean rollout reward over all steps.
  double auc() const;
  /// The mean rollout reward of the last quarter of the steps.
  double late_reward() const;

  /// The folder of the base: config.model, which is relative to where the run was started.
  std::filesystem::path base() const;
};

/// Runs that differ in their seed alone.
struct Method {
  std::string name;  // "gdsd"
  std::vector<RunResult> runs;

  double mean(double RunResult::*figure) const;
  double mean_auc() const;
};

/// One row of the table, in its words; auc and seconds are of training, which a base has none of.
struct Row {
  std::string name;
  size_t seeds = 1;
  double solved = 0;
  Interval interval = {};  // 95 %, over all problems asked
  double cell = 0;
  std::optional<double> auc = {}, seconds = {};
};
Row base_row(const std::vector<Method>& methods);
Row row_of(const Method& method);
Row row_of(const RunResult& run);

/// A finished run.
RunResult read_run(const std::filesystem::path& folder);

/// Throws Error naming the folder for runs that are not finished, were never evaluated or cannot
/// stand in one table with the others.
std::vector<Method> read_methods(const std::vector<std::string>& folders);

}  // namespace gdsd
