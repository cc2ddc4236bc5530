// How much of a 4x4 sudoku a completion solves.
#include "gdsd/reward/sudoku.h"

#include "gdsd/base/check.h"

namespace gdsd {

BlanksRight blanks_right(const Attempt& attempt) {
  constexpr size_t kCells = 16;
  const std::string &puzzle = attempt.example->problem, &solution = attempt.example->answer;
  check(puzzle.size() == kCells && solution.size() == kCells, "[sudoku] problem and answer have ",
        puzzle.size(), " and ", solution.size(), " characters, expected ", kCells, " each.");
  BlanksRight count;
  for (size_t cell = 0; cell < kCells; ++cell) {
    if (puzzle[cell] != '0') continue;
    ++count.blanks;
    if (cell < attempt.completion.size() && attempt.completion[cell] == solution[cell])
      ++count.right;
  }
  return count;
}

std::optional<double> sudoku_reward(const Attempt& attempt) {
  const auto [right, blanks] = blanks_right(attempt);
  if (blanks == 0) return std::nullopt;
  return static_cast<double>(right) / blanks;
}

}  // namespace gdsd
