// An evaluation on the terminal: pieces of the problems, one after another, kept as they come.
#pragma once

#include "cli/eval.h"
#include "gdsd/eval/results.h"
#include "gdsd/train/summary.h"

namespace gdsd {

/// The answers to problems begin … end − 1.
using Source = std::function<std::vector<Answer>(int64_t begin, int64_t end)>;

/// What `--answers` calls the task's own solutions.
inline constexpr const char* kReference = "reference";

/// Given answers to n problems, of a file or the task's own. Throws Error for a file that is not of
/// them.
Source given_answers(const EvalConfig& config, const std::string& from, const Problems& problems,
                     const Judge& judge, int64_t n);

/// One evaluation under way.
class Asking {
 public:
  /// n problems are asked.
  Asking(const EvalConfig& config, Source source, int64_t n)
      : config_(config), source_(std::move(source)) {
    so_far_.problems = n;
    so_far_.samples = config.samples;
  }

  void keep_in(const std::string& out, const nlohmann::ordered_json& manifest) {
    folder_.emplace(out, manifest);
    so_far_.results = folder_->done();
  }

  /// nullopt if it was interrupted.
  std::optional<Evaluation> run(const SummaryRows& rows);

 private:
  void ask(int64_t begin, int64_t end);
  int64_t answered() const { return std::ssize(so_far_.results) / so_far_.samples; }

  const EvalConfig& config_;
  Source source_;
  std::optional<ResultFolder> folder_;
  Evaluation so_far_;
};

}  // namespace gdsd
