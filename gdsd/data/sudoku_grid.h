// Sudoku of 4x4 and 9x9 cells: what fits, and how many solutions a puzzle has.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "gdsd/base/key.h"

namespace gdsd {

/// 4 of 16 cells, 9 of 81, 0 of any other number: no grid.
int64_t sudoku_side(size_t cells);

/// Whether it is a grid of 16 or 81 digits with no two alike in a row, column or box.
bool is_sudoku_solution(std::string_view grid);

/// How many solutions a puzzle has, '0' for a blank, counted up to `most`. Throws Error unless it is
/// 16 or 81 digits from 0 to its side.
int64_t count_sudoku_solutions(std::string_view puzzle, int64_t most);

/// A full 9x9 grid. Not every grid is as likely as any other.
std::string random_sudoku_grid(Key key);

/// The grid with its digits renamed so that the first row is 123…: the same for all renamings.
std::string renamed_sudoku_grid(std::string_view grid);

}  // namespace gdsd
