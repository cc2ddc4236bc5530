// How much of a sudoku a completion solves, 4x4 or 9x9. An example's problem and answer are the puzzle
// and a solution, row by row, '0' for a blank; every function here throws Error for other texts.
#pragma once

#include "gdsd/reward/reward.h"

namespace gdsd {

struct BlanksRight {
  int right = 0;   // blank cells of the puzzle where the completion has a solution's digit
  int blanks = 0;  // blank cells of the puzzle
};

/// The blank cells that agree with a solution of the puzzle, the one with which most do: a puzzle with
/// several is judged by its rules, not by the answer that was stored. Given cells do not count, nor do
/// cells that are not reached. The cells are the digits of the last <answer>…</answer>; without one
/// the first characters of the completion, digits or not.
/// The search for the best solution ends after 50 000 trials, about 10 ms, with the best so far, which
/// is no worse than the stored one; only 9x9 puzzles of very few clues need as many. A grid that
/// breaks no rule is right without a search.
BlanksRight blanks_right(const Attempt& attempt);

/// right / blanks; nullopt for a puzzle without blanks.
std::optional<double> sudoku_reward(const Attempt& attempt);

/// The released reward_func_sudoku: the part of the blanks where the 16 first digits of the last
/// <answer>…</answer> are the stored solution's; 0 without such an answer. 4x4 only.
std::optional<double> sudoku_released(const Attempt& attempt);

struct ReleasedSudoku {
  std::string extracted;  // 16 characters, or "" if nothing was found
  int right = 0;          // blanks where it has the stored solution's digit
  int blanks = 0;
};

/// The released evaluation of attempt.generation. 4x4 only.
ReleasedSudoku sudoku_eval_released(const Attempt& attempt);

}  // namespace gdsd
