// One problem, and where problems come from.
#pragma once

#include <string>
#include <string_view>

#include "gdsd/base/key.h"

namespace gdsd {

/// One problem, as the model is shown it.
struct Example {
  std::string prompt;  // before the chat template
  std::string answer;  // the gold answer, or what a checker needs to verify one
  std::string source;  // "gsm8k/train.jsonl:17" or "sudoku/train", for error messages and logs
};

/// Training never sees a problem of the held-out split, nor one that gives its answer away.
enum class Split { kTrain, kHeldOut };

/// An endless supply of problems, each a function of its key: resuming needs no iterator state.
class Problems {
 public:
  virtual ~Problems() = default;

  virtual Example draw(Split split, Key key) const = 0;

  /// What an annotator would answer: the text a model is pretrained on. Not always right, as the
  /// task's options say.
  virtual std::string demonstration(const Example& example, Key key) const = 0;

  /// Every character that prompts and demonstrations are made of.
  virtual std::string_view alphabet() const = 0;
};

}  // namespace gdsd
