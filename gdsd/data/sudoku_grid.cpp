// The cell with the fewest digits that fit is filled first: bit d of a set stands for digit d.
#include "gdsd/data/sudoku_grid.h"

#include <array>
#include <bit>

#include "gdsd/base/check.h"
#include "gdsd/base/random.h"

namespace gdsd {
namespace {

class Solver {
 public:
  explicit Solver(int64_t side) : side_(side), box_(side == 9 ? 3 : 2), grid_(side * side, '0') {}

  /// Places a digit, or says that one like it is in the way.
  bool place(size_t cell, int digit) {
    if (!(fitting(cell) >> digit & 1)) return false;
    flip(cell, digit);
    grid_[cell] = static_cast<char>('0' + digit);
    return true;
  }

  /// Counts the ways to fill the rest, up to `most`, and keeps the last in grid(). `order`, if it is
  /// given, shuffles the digits that are tried.
  int64_t fill(int64_t most, const Key* order = nullptr) {
    const auto [cell, digits] = tightest();
    if (cell == grid_.size()) return 1;
    int64_t found = 0;
    std::vector<int64_t> tried =
        order ? permutation(order->fork("cell", cell), side_) : std::vector<int64_t>(side_);
    if (!order) std::iota(tried.begin(), tried.end(), 0);
    for (int64_t d : tried) {
      const int digit = static_cast<int>(d) + 1;
      if (!(digits >> digit & 1)) continue;
      place(cell, digit);
      found += fill(most - found, order);
      if (found >= most) return found;
      flip(cell, digit);
      grid_[cell] = '0';
    }
    return found;
  }

  const std::string& grid() const { return grid_; }

 private:
  struct Units {
    size_t row, column, box;
  };
  Units units(size_t cell) const {
    const size_t row = cell / side_, column = cell % side_;
    return {row, column, row / box_ * box_ + column / box_};
  }
  unsigned fitting(size_t cell) const {
    const auto [row, column, box] = units(cell);
    const unsigned all = (2U << side_) - 2;
    return all & ~(rows_[row] | columns_[column] | boxes_[box]);
  }
  void flip(size_t cell, int digit) {
    const auto [row, column, box] = units(cell);
    const unsigned bit = 1U << digit;
    rows_[row] ^= bit, columns_[column] ^= bit, boxes_[box] ^= bit;
  }
  /// The blank cell that the fewest digits fit, and which; the number of cells if there is none.
  std::pair<size_t, unsigned> tightest() const {
    std::pair<size_t, unsigned> best{grid_.size(), 0};
    int fewest = 10;
    for (size_t cell = 0; cell < grid_.size() && fewest > 1; ++cell) {
      if (grid_[cell] != '0') continue;
      const unsigned digits = fitting(cell);
      if (std::popcount(digits) >= fewest) continue;
      fewest = std::popcount(digits);
      best = {cell, digits};
    }
    return best;
  }

  size_t side_, box_;
  std::string grid_;
  std::array<unsigned, 9> rows_{}, columns_{}, boxes_{};
};

}  // namespace

int64_t sudoku_side(size_t cells) { return cells == 16 ? 4 : cells == 81 ? 9 : 0; }

bool is_sudoku_solution(std::string_view grid) {
  const int64_t side = sudoku_side(grid.size());
  if (side == 0) return false;
  Solver solver(side);
  for (size_t cell = 0; cell < grid.size(); ++cell)
    if (grid[cell] < '1' || grid[cell] > '0' + side || !solver.place(cell, grid[cell] - '0'))
      return false;
  return true;
}

int64_t count_sudoku_solutions(std::string_view puzzle, int64_t most) {
  const int64_t side = sudoku_side(puzzle.size());
  check(side > 0, "[sudoku] the puzzle has ", puzzle.size(), " cells, expected 16 or 81.");
  Solver solver(side);
  for (size_t cell = 0; cell < puzzle.size(); ++cell) {
    const char c = puzzle[cell];
    check(c >= '0' && c <= '0' + side, "[sudoku] the puzzle is \"", puzzle,
          "\", expected digits from 0 to ", side, ".");
    if (c != '0' && !solver.place(cell, c - '0')) return 0;
  }
  return solver.fill(most);
}

std::string random_sudoku_grid(Key key) {
  Solver solver(9);
  solver.fill(1, &key);
  return solver.grid();
}

std::string renamed_sudoku_grid(std::string_view grid) {
  std::array<char, 10> name{};
  char next = '1';
  std::string out;
  for (char c : grid) {
    char& to = name.at(c - '0');
    if (to == 0) to = next++;
    out += to;
  }
  return out;
}

}  // namespace gdsd
