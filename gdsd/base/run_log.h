// What a run reports, step by step: metrics.jsonl, timing.jsonl and TensorBoard's files.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "gdsd/base/file.h"
#include "gdsd/base/tensorboard.h"

namespace gdsd {

/// The log of one run. A line of metrics.jsonl is {"step": 3, "loss": 0.25, …}, names sorted,
/// numbers as short as reads back exactly, NaN and infinities as null: two runs that compute the
/// same write the same bytes. What depends on the clock goes to timing.jsonl, in the same form.
class RunLog {
 public:
  /// Opens the log in `folder`, which is made if need be. `first_step` is the first step that will
  /// be written. On resume `keep_bytes` is what metrics_bytes() was at the checkpoint: later lines
  /// are forgotten. 0 forgets all, nullopt keeps all lines that are whole.
  RunLog(const std::filesystem::path& folder, int64_t first_step,
         std::optional<uint64_t> keep_bytes);

  /// Metrics that are a function of the configuration and the step.
  void write(int64_t step, const std::map<std::string, double>& metrics);

  /// Seconds, tokens per second and the like; TensorBoard shows them under "timing/". After a
  /// resume timing.jsonl still has the steps that are done again.
  void write_timing(int64_t step, const std::map<std::string, double>& metrics);

  /// The length of metrics.jsonl, for the checkpoint. Call sync() before saving it.
  uint64_t metrics_bytes() const { return metrics_.size(); }

  /// Waits until everything written is on disk.
  void sync();

 private:
  std::filesystem::path folder_;
  AppendFile metrics_, timing_;
  EventWriter events_;
};

/// The lines of a metrics.jsonl or timing.jsonl, each with its "step"; null is NaN.
/// Throws Error naming file and line.
std::vector<std::map<std::string, double>> read_metrics(const std::filesystem::path& jsonl);

}  // namespace gdsd
