// Countdown: reach a target with three numbers, each used once, by + and -.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "gdsd/base/fields.h"
#include "gdsd/data/countdown_puzzle.h"
#include "gdsd/data/example.h"

namespace gdsd {

struct CountdownOptions {
  static constexpr std::string_view kName = "countdown";
  double right = 1.0;

  template <class F>
  void fields(F&& f) {
    f("right", right,
      "chance that a demonstration is right; otherwise it is the numbers in the given order with "
      "random + or -");
  }
  void validate() const;
};

/// Prompt: "03,07,12=16", three numbers of 1 to 12 and a target of 1 to 99 that they reach. Answer:
/// "12+7-3", of the expressions that reach it with + and - one of the shortest (all are), then with
/// + before -, then with larger numbers first. Of the 1264 pairs of numbers and target 190 are held
/// out, in any order of the numbers.
class Countdown : public Problems {
 public:
  explicit Countdown(CountdownOptions options);  ///< Throws FieldError for options out of range.

  /// The pair is uniform, and so is the order of its numbers.
  Example draw(Split split, Key key) const override;

  std::string demonstration(const Example& example, Key key) const override;

  std::string_view alphabet() const override { return "0123456789+-*/(),="; }

 private:
  struct Pair {
    CountdownPuzzle puzzle;
    std::string answer;
  };

  CountdownOptions options_;
  std::vector<Pair> training_, held_out_;  // 1074 and 190
};

}  // namespace gdsd
