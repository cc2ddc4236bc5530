// Methods side by side: every method with every learning rate and then every seed, on one config.
#pragma once

#include "cli/results.h"

namespace gdsd {

/// What the runs of a method at its best learning rate came to.
struct Figures {
  std::string method, rate;
  bool at_edge = false;  // of its grid: a better rate may lie beyond
  std::vector<RunResult> runs;
  int64_t failed = 0;                     // runs that did not come to their end: in none of these
  double final_mean = 0;                  // solved, of the held-out problems
  std::optional<double> final_ci95 = {};  // half the width of Student's interval over seeds
  double auc_mean = 0, worst = 0, seconds = 0;
  int64_t collapses = 0;
};

/// Whether a run ended below half of its best evaluation.
bool collapsed(const RunResult& run);

/// Of the runs of one method at one rate.
Figures figures_of(const std::string& method, const std::string& rate, std::vector<RunResult> runs);

/// {"methods": {NAME: {"final_mean": …, "final_ci95": …, "auc_mean": …, "worst_seed": …,
/// "collapses": …, "seconds": …, "lr": …, "seeds": […]}}, "base": …}
std::string study_json(const std::vector<Figures>& all);

/// method,lr,seed,step,reward,solved: the curves of every run.
std::string study_csv(const std::vector<Figures>& all);

/// Reward against steps, means over seeds with bands of one standard deviation.
std::string study_svg(const std::vector<Figures>& all);

}  // namespace gdsd
