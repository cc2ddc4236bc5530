// Countdown: reach a target with some numbers, each used once.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "gdsd/base/fields.h"
#include "gdsd/data/countdown_puzzle.h"
#include "gdsd/data/example.h"
#include "gdsd/data/text_tasks.h"

namespace gdsd {

struct CountdownOptions {
  static constexpr std::string_view kName = "countdown";
  TaskFiles files = {};
  CountdownPrompt prompt = CountdownPrompt::kBare;
  std::string rewards = {};
  int64_t numbers = 3;
  int64_t number_min = 1;
  int64_t number_max = 12;
  int64_t target_min = 1;
  int64_t target_max = 99;
  std::string operators = "+-";
  double right = 1.0;

  template <class F>
  void fields(F&& f) {
    files.fields(f);
    f("prompt", prompt, kCountdownPromptHelp);
    f("rewards", rewards, kRewardsHelp);
    f("numbers", numbers, "of a generated puzzle, 2 to 6");
    f("number_min", number_min, "smallest number of a generated puzzle");
    f("number_max", number_max, "largest, at most 999");
    f("target_min", target_min, "smallest target of a generated puzzle");
    f("target_max", target_max, "largest, at most 9999");
    f("operators", operators, "that a generated puzzle is made with: some of +-*/");
    f("right", right,
      "chance that a demonstration is right; otherwise it is the numbers in the given order with "
      "random + or -");
  }
  void validate() const;

  /// Whether generated puzzles are those of Countdown: three numbers up to 12 by + and -.
  bool is_small() const;
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

/// Any other size, ranges and operators. Prompt: "075,006,002,010=450", all numbers as wide as the
/// largest that the options allow. Answer: the expression that the puzzle was made with, whose parts
/// all have positive whole values. Held out are 15 % of the pairs of numbers, in any order, and
/// target, picked by a hash.
class RandomCountdown : public Problems {
 public:
  explicit RandomCountdown(CountdownOptions options);  ///< Throws FieldError as Countdown does.

  /// Numbers are uniform, and two of them, or of what they have become, are joined at random until
  /// one is left; anew until it is a target in range. Throws Error if that is all but impossible.
  Example draw(Split split, Key key) const override;

  std::string demonstration(const Example& example, Key key) const override;

  std::string_view alphabet() const override { return "0123456789+-*/(),="; }

 private:
  CountdownOptions options_;
};

/// With a chance of `right` the example's answer, else its numbers as given with random + or -.
/// Throws Error where an answer is wanted and there is none.
std::string countdown_demonstration(const Example& example, double right, Key key);

/// The pair that a puzzle is: numbers in ascending order, "3,7,12=16".
std::string countdown_pair(const CountdownPuzzle& puzzle);

/// Whether the pair belongs to RandomCountdown's held-out split.
bool is_held_out(const CountdownPuzzle& puzzle);

}  // namespace gdsd
