// One problem, and where problems come from.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gdsd/base/key.h"

namespace gdsd {

/// One problem.
struct Example {
  std::string prompt = {};   // the text that the model goes on from, chat template and all
  std::string problem = {};  // what is asked, without wording: "0030…", "3,7,12=16", a question
  std::string answer = {};   // the gold answer, or what a checker needs to verify one
  std::string source = {};  // "gsm8k/train.jsonl:17" or "sudoku/train", for error messages and logs
  std::vector<std::string> tests = {};  // of code: what a program is judged by, one after another
  std::string context = {};             // of code: what a program's own code goes after
  std::string record = {};  // its line of a file, as JSON: for rewards of the user's own
};

/// Training never sees a problem of the held-out split, nor one that gives its answer away.
enum class Split { kTrain, kHeldOut };

/// A supply of problems without end, each a function of its key: resuming needs no iterator state.
class Problems {
 public:
  virtual ~Problems() = default;

  virtual Example draw(Split split, Key key) const = 0;

  /// How many problems are held out, if they are a list; nullopt: generated, without end.
  virtual std::optional<int64_t> held_out_size() const { return std::nullopt; }

  /// Held-out problem `i` from 0, in the order in which evaluations ask them; the same for everyone.
  /// Throws Error for one that there is not.
  virtual Example held_out(int64_t i) const {
    return draw(Split::kHeldOut, Key{0}.fork("held_out").fork("problem", static_cast<uint64_t>(i)));
  }

  /// What an annotator would answer: the text a model is pretrained on. Not always right, as the
  /// task's options say. Throws Error for a file's problem that has no solution beside it.
  virtual std::string demonstration(const Example& example, Key key) const = 0;

  /// Every character that prompts and demonstrations are made of.
  virtual std::string_view alphabet() const = 0;
};

}  // namespace gdsd
