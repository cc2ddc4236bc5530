// Sudoku: grids, puzzles of one solution, and an annotator who can be lazy.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "gdsd/base/fields.h"
#include "gdsd/data/example.h"
#include "gdsd/data/text_tasks.h"

namespace gdsd {

/// What an annotator writes into the blanks of a row that is not got right: its missing digits.
enum class WrongRow { kAscending, kShuffled };
constexpr auto enum_names(WrongRow) { return std::array{"ascending", "shuffled"}; }

struct SudokuOptions {
  static constexpr std::string_view kName = "sudoku";
  TaskFiles files = {};
  SudokuPrompt prompt = SudokuPrompt::kBare;
  std::string rewards = {};
  int64_t side = 4;
  int64_t blanks_min = 7;
  int64_t blanks_max = 10;
  double right = 0.0;
  double right_row = 1.0;
  WrongRow wrong_row = WrongRow::kAscending;

  template <class F>
  void fields(F&& f) {
    files.fields(f);
    f("prompt", prompt, kSudokuPromptHelp);
    f("rewards", rewards, kRewardsHelp);
    f("side", side, "of the grid of a generated puzzle: 4 or 9");
    f("blanks_min", blanks_min, "fewest blank cells of a generated puzzle");
    f("blanks_max", blanks_max,
      "most blank cells of a generated puzzle, at most 12; of side 9: 54");
    f("right", right, "chance that an annotator gets a whole demonstration right");
    f("right_row", right_row, "otherwise: chance that a row of it is right");
    f("wrong_row", wrong_row, "otherwise: order of the row's missing digits in its blanks");
  }
  void validate() const;
};

/// 4x4. Prompt: 16 characters, row by row, '0' for a blank. Answer: the 16 digits of the solution.
/// Held out are 88 of the 288 solutions: no training puzzle has one of them.
class Sudoku : public Problems {
 public:
  explicit Sudoku(SudokuOptions options);  ///< Throws FieldError for options out of range.

  /// The number of blanks is uniform, and so is the puzzle among those of its solution and number
  /// of blanks that have no other solution.
  Example draw(Split split, Key key) const override;

  /// A grid of 16 digits: all right, or of each row all blanks are right or in `wrong_row` order.
  std::string demonstration(const Example& example, Key key) const override;

  std::string_view alphabet() const override { return "01234"; }

 private:
  bool has_one_solution(std::string_view puzzle) const;

  SudokuOptions options_;
  std::vector<std::string> grids_;                // all 288
  std::vector<std::string> training_, held_out_;  // 200 and 88 of them
};

/// 9x9. Prompt: 81 characters, row by row, '0' for a blank. Answer: the 81 digits of the only
/// solution. Held out is a tenth of all solutions, picked by a hash that is the same however their
/// digits are named: no training puzzle has one of them.
class LargeSudoku : public Problems {
 public:
  explicit LargeSudoku(SudokuOptions options);  ///< Throws FieldError for options out of range.

  /// The number of blanks is uniform; they lie where cells, in random order, could be blanked one by
  /// one. Takes milliseconds.
  Example draw(Split split, Key key) const override;

  std::string demonstration(const Example& example, Key key) const override;

  std::string_view alphabet() const override { return "0123456789"; }

 private:
  SudokuOptions options_;
};

/// Whether a 9x9 grid is a solution of LargeSudoku's held-out split.
bool is_held_out_grid(std::string_view grid);

/// The grid as an annotator fills it in: all right, or of each row all blanks are right or in
/// `wrong_row` order. Throws Error unless problem and answer have 16 or 81 characters each.
std::string sudoku_demonstration(const Example& example, const SudokuOptions& options, Key key);

}  // namespace gdsd
