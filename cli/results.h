// Finished runs, read back from their folders and grouped by what they have in common.
#pragma once

#include <filesystem>

#include "gdsd/train/train.h"

namespace gdsd {

struct RunResult {
  std::filesystem::path folder;
  TrainConfig config;
  std::vector<double> reward;                      // per step 1, 2, …
  std::vector<std::pair<int64_t, double>> solved;  // (step, eval/solved), from step 0
  double base_solved = 0, base_cell = 0;           // the evaluation before the first step
  double final_solved = 0, final_cell = 0;         // and after the last
  double seconds = 0;                              // of work

  /// Area under the reward curve: the mean rollout reward over all steps.
  double auc() const;
};

/// Runs that differ in their seed alone.
struct Method {
  std::string name;  // "gdsd"
  std::vector<RunResult> runs;

  double mean(double RunResult::*figure) const;
  double mean_auc() const;
};

/// Throws Error naming the folder for runs that are not finished or never evaluated.
std::vector<Method> read_methods(const std::vector<std::string>& folders);

}  // namespace gdsd
