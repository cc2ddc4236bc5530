// The folder of an evaluation: what was asked of whom, every answer, and what they add up to.
//
//   OUT/manifest.json   config, model's fingerprint, data's fingerprints: what makes it the same
//   OUT/items.jsonl     a line for each answer, in order; grows while the evaluation runs
//   OUT/result.json     the manifest and the metrics, once all is answered
#pragma once

#include <nlohmann/json.hpp>

#include "gdsd/base/file.h"
#include "gdsd/base/run_lock.h"
#include "gdsd/eval/evaluate.h"

namespace gdsd {

class ResultFolder {
 public:
  /// Makes the folder, or goes on in the one that holds the beginning of the same evaluation.
  /// Throws Error for a folder that another process uses, or that holds anything else.
  ResultFolder(std::filesystem::path folder, const nlohmann::ordered_json& manifest);

  /// What was answered before, whole problems only, in order.
  const std::vector<Result>& done() const { return done_; }

  /// Whether result.json is there: then there is nothing to do.
  bool finished() const;

  /// Appends the answers, on disk when this returns.
  void add(std::span<const Answer> answers);

  /// Writes result.json. `more` are entries besides manifest and metrics.
  void finish(const Evaluation& evaluation, const nlohmann::ordered_json& more);

 private:
  void read_items(int64_t samples);

  std::filesystem::path folder_;
  nlohmann::ordered_json manifest_;
  std::optional<RunLock> lock_;
  std::vector<Result> done_;
  std::unique_ptr<AppendFile> items_;
};

/// A finished evaluation, read back. Throws Error naming the file, or saying that the evaluation is
/// not finished.
nlohmann::ordered_json read_result(const std::filesystem::path& folder);

}  // namespace gdsd
