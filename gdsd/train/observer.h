// What a run tells whoever watches it. The library itself prints nothing.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace gdsd {

/// The parts of a step, in order.
enum class Phase { kAct, kReward, kLookBack, kLearn, kEvaluate, kSave };
constexpr auto enum_names(Phase) {
  return std::array{"act", "reward", "look_back", "learn", "evaluate", "save"};
}

struct StepReport {
  int64_t step = 0;  // 1 … total; 0 is the evaluation before the first
  int64_t total = 0;
  std::map<std::string, double> metrics;  // docs/metrics.md
  std::map<std::string, double> timing;
};

class Observer {
 public:
  virtual ~Observer() = default;

  /// Rows of the table a run begins with: what it is about to do. `done` steps were made before.
  virtual void on_start(const std::vector<std::pair<std::string, std::string>>&, int64_t done,
                        int64_t total) = 0;
  virtual void on_phase(Phase) {}
  virtual void on_step(const StepReport&) = 0;
  virtual void on_notice(const std::string&) = 0;

  /// Asked after every step: true ends the run with a checkpoint.
  virtual bool interrupted() { return false; }
};

}  // namespace gdsd
