// How much of a sudoku a completion solves, by the rules.
#include "gdsd/reward/sudoku.h"

#include <algorithm>
#include <array>
#include <bit>
#include <utility>

#include "gdsd/base/check.h"
#include "gdsd/text/answer.h"

namespace gdsd {
namespace {

/// A puzzle being filled: which digits each row, column and box has, a bit each.
class Grid {
 public:
  /// `puzzle` has side² characters.
  explicit Grid(std::string_view puzzle)
      : box_(puzzle.size() == 16 ? 2 : 3), side_(box_ * box_), used_(3 * side_) {
    for (size_t cell = 0; cell < puzzle.size(); ++cell) {
      if (puzzle[cell] == '0')
        blanks_.push_back(cell);
      else
        put(cell, 1u << (puzzle[cell] - '1'));
    }
  }

  const std::vector<size_t>& blanks() const { return blanks_; }

  /// Bits of the digits that the rules leave for a cell.
  unsigned free(size_t cell) const {
    unsigned used = 0;
    for (size_t unit : units(cell)) used |= used_[unit];
    return ((1u << side_) - 1) & ~used;
  }

  void put(size_t cell, unsigned bit) {
    for (size_t unit : units(cell)) used_[unit] |= bit;
  }
  void take(size_t cell, unsigned bit) {
    for (size_t unit : units(cell)) used_[unit] &= ~bit;
  }

 private:
  std::array<size_t, 3> units(size_t cell) const {
    const size_t row = cell / side_, column = cell % side_;
    return {row, side_ + column, 2 * side_ + row / box_ * box_ + column / box_};
  }

  size_t box_, side_;
  std::vector<unsigned> used_;
  std::vector<size_t> blanks_;
};

/// Looks for the solution that differs least from an answer.
class Search {
 public:
  /// `answer`: of every cell the bit of its digit, 0 for none. `wrong`: how many blanks differ from a
  /// solution that is known.
  Search(Grid grid, const std::vector<unsigned>& answer, int wrong)
      : grid_(std::move(grid)), answer_(answer), left_(grid_.blanks()), best_(wrong) {}

  int fewest_wrong() {
    fill(0);
    return best_;
  }

 private:
  static constexpr int kMostTrials = 50000;

  /// Fills left_ in every way that may beat the best; `wrong` differ already.
  void fill(int wrong) {
    if (left_.empty()) best_ = wrong;
    if (left_.empty()) return;
    size_t next = 0;  // the blank with the fewest digits left
    int fewest = 10;
    for (size_t i = 0; i < left_.size() && fewest > 1; ++i) {
      const int n = std::popcount(grid_.free(left_[i]));
      if (n < fewest) fewest = n, next = i;
    }
    const size_t cell = std::exchange(left_[next], left_.back());
    left_.pop_back();
    const unsigned free = grid_.free(cell), wanted = free & answer_[cell];
    if (wanted) descend(cell, wanted, wrong);
    for (unsigned rest = free & ~wanted; rest; rest &= rest - 1)
      descend(cell, rest & -rest, wrong + 1);
    left_.push_back(cell);
    std::swap(left_[next], left_.back());
  }

  void descend(size_t cell, unsigned bit, int wrong) {
    if (wrong >= best_ || ++trials_ > kMostTrials) return;
    grid_.put(cell, bit);
    fill(wrong);
    grid_.take(cell, bit);
  }

  Grid grid_;
  const std::vector<unsigned>& answer_;
  std::vector<size_t> left_;
  int best_, trials_ = 0;
};

/// The answer's cells as far as it has some: digits of what is tagged, else characters.
std::string cells_of(std::string_view completion, size_t n) {
  const auto tagged = tagged_answer(completion);
  if (!tagged) return std::string(completion.substr(0, n));
  std::string cells;
  for (char c : *tagged)
    if (c >= '0' && c <= '9' && cells.size() < n) cells += c;
  return cells;
}

void check_example(const Example& example) {
  const std::string &puzzle = example.problem, &solution = example.answer;
  check((puzzle.size() == 16 || puzzle.size() == 81) && solution.size() == puzzle.size(),
        "[sudoku] problem and answer have ", puzzle.size(), " and ", solution.size(),
        " characters, expected 16 or 81 each.");
  const char last = puzzle.size() == 16 ? '4' : '9';
  const auto digits = [&](const std::string& text, char first) {
    return std::all_of(text.begin(), text.end(), [&](char c) { return c >= first && c <= last; });
  };
  check(digits(puzzle, '0') && digits(solution, '1'), "[sudoku] problem and answer are \"", puzzle,
        "\" and \"", solution, "\", expected digits to ", last, ", in the answer no 0.");
}

}  // namespace

BlanksRight blanks_right(const Attempt& attempt) {
  check_example(*attempt.example);
  const std::string &puzzle = attempt.example->problem, &solution = attempt.example->answer;
  const std::string cells = cells_of(attempt.completion, puzzle.size());
  const char last = puzzle.size() == 16 ? '4' : '9';
  std::vector<unsigned> answer(puzzle.size());
  for (size_t cell = 0; cell < cells.size(); ++cell)
    if (cells[cell] >= '1' && cells[cell] <= last) answer[cell] = 1u << (cells[cell] - '1');

  Grid grid(puzzle);
  const std::vector<size_t> blanks = grid.blanks();
  const int n = static_cast<int>(blanks.size());
  const auto agrees = [&](size_t cell) { return answer[cell] == 1u << (solution[cell] - '1'); };
  const int wrong = n - static_cast<int>(std::count_if(blanks.begin(), blanks.end(), agrees));
  const int best = wrong == 0 ? 0 : Search(std::move(grid), answer, wrong).fewest_wrong();
  return {.right = n - best, .blanks = n};
}

std::optional<double> sudoku_reward(const Attempt& attempt) {
  const auto [right, blanks] = blanks_right(attempt);
  if (blanks == 0) return std::nullopt;
  return static_cast<double>(right) / blanks;
}

}  // namespace gdsd
