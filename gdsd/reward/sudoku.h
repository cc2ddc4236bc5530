// How much of a 4x4 sudoku a completion solves.
#pragma once

#include "gdsd/reward/reward.h"

namespace gdsd {

struct BlanksRight {
  int right = 0;   // blank cells of the puzzle where the completion has the solution's digit
  int blanks = 0;  // blank cells of the puzzle
};

/// Compares the first 16 characters of the completion with the answer, cell by cell; cells that it
/// does not reach are wrong. Throws Error unless prompt and answer have 16 characters.
BlanksRight blanks_right(const Attempt& attempt);

/// right / blanks; nullopt for a puzzle without blanks.
std::optional<double> sudoku_reward(const Attempt& attempt);

}  // namespace gdsd
