// The problems of a task: generated or of files, in the task's words.
#pragma once

#include <functional>
#include <memory>
#include <mutex>

#include "gdsd/data/example.h"
#include "gdsd/data/files.h"

namespace gdsd {

/// What a task's problems are made of.
struct TaskParts {
  std::unique_ptr<Problems> generator = {};  ///< of what no file gives; nullptr: there is none
  std::vector<Example> train = {}, test = {};
  HeldOutOrder order = HeldOutOrder::kFile;
  std::function<std::string(const Example&)> prompt = {};    ///< the text to go on from
  std::function<std::string(const Example&)> identity = {};  ///< equal for equal problems
  std::function<std::string(const Example&)> family = {};    ///< never on both sides of a split
  std::function<std::string(const Example&, Key)> demonstrate = {};  ///< of a file's problem
};

/// Training is uniform over `train`, or generated without the problems of `test`. Held out is `test`;
/// else the tenth of `train` whose families a hash picks, on which nothing is trained; else what the
/// generator holds out.
class TaskProblems : public Problems {
 public:
  /// Throws Error if a problem of `test` is one of `train`, naming both, or if `order` asks for more
  /// problems than `test` has.
  explicit TaskProblems(TaskParts parts);

  /// Throws Error where there is nothing to draw from.
  Example draw(Split split, Key key) const override;
  std::optional<int64_t> held_out_size() const override;
  Example held_out(int64_t i) const override;
  std::string demonstration(const Example& example, Key key) const override;

  /// In ascending order of their bytes; found when first asked for.
  std::string_view alphabet() const override;

 private:
  Example worded(Example example) const;
  Example generated(Split split, Key key) const;

  TaskParts parts_;
  bool generates_training_, generates_held_out_;
  std::vector<Example> held_out_;             // in the order in which they are asked
  std::vector<std::string> test_identities_;  // sorted
  mutable std::once_flag alphabet_once_;
  mutable std::string alphabet_;
};

}  // namespace gdsd
