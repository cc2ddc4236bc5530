// 4x4 sudoku by enumeration: there are only 288 grids.
#include "gdsd/data/sudoku.h"

#include <algorithm>

#include "gdsd/base/check.h"
#include "gdsd/base/random.h"
#include "gdsd/data/sudoku_grid.h"

namespace gdsd {
namespace {

constexpr size_t kSide = 4, kCells = kSide * kSide;
constexpr int64_t kTrainingGrids = 200;
constexpr int64_t kMaxBlanks = 12;       // fewer than 4 clues never determine a grid
constexpr int64_t kMaxLargeBlanks = 54;  // of 81: more is rare, and takes long to find

bool share_a_unit(size_t a, size_t b) {
  const size_t row_a = a / kSide, column_a = a % kSide, row_b = b / kSide, column_b = b % kSide;
  return row_a == row_b || column_a == column_b ||
         (row_a / 2 == row_b / 2 && column_a / 2 == column_b / 2);
}

/// Appends every grid that starts with `start`, in lexicographic order.
void append_grids(std::string& start, std::vector<std::string>& grids) {
  const size_t cell = start.size();
  if (cell == kCells) return grids.push_back(start);
  for (char digit = '1'; digit <= '4'; ++digit) {
    bool fits = true;
    for (size_t other = 0; other < cell; ++other)
      fits = fits && !(start[other] == digit && share_a_unit(other, cell));
    if (!fits) continue;
    start.push_back(digit);
    append_grids(start, grids);
    start.pop_back();
  }
}

bool solves(std::string_view grid, std::string_view puzzle) {
  for (size_t cell = 0; cell < kCells; ++cell)
    if (puzzle[cell] != '0' && puzzle[cell] != grid[cell]) return false;
  return true;
}

}  // namespace

void SudokuOptions::validate() const {
  files.validate(/*has_generator=*/true);
  check_field(side == 4 || side == 9, "side", "got ", side, ", expected 4 or 9.");
  check_field(side == 4 || (prompt != SudokuPrompt::kEspo && prompt != SudokuPrompt::kEval),
              "prompt", "got '", to_text(prompt),
              "', whose text shows a 4x4 grid; of side 9: bare, "
              "gdsd, d1 or math_eval.");
  const int64_t most = side == 4 ? kMaxBlanks : kMaxLargeBlanks;
  check_field(blanks_min >= 1, "blanks_min", "must be at least 1, got ", blanks_min, ".");
  check_field(blanks_max >= blanks_min && blanks_max <= most, "blanks_max",
              "must be from blanks_min (", blanks_min, ") to ", most, ", got ", blanks_max, ".");
  check_field(right >= 0 && right <= 1, "right", "must be from 0 to 1, got ", right, ".");
  check_field(right_row >= 0 && right_row <= 1, "right_row", "must be from 0 to 1, got ", right_row,
              ".");
}

Sudoku::Sudoku(SudokuOptions options) : options_(std::move(options)) {
  options_.validate();
  check_field(options_.side == 4, "side", "got ", options_.side, ", expected 4.");
  std::string start;
  append_grids(start, grids_);
  const auto order = permutation(Key{}.fork("sudoku split"), static_cast<int64_t>(grids_.size()));
  for (size_t i = 0; i < order.size(); ++i)
    (i < kTrainingGrids ? training_ : held_out_).push_back(grids_[order[i]]);
}

bool Sudoku::has_one_solution(std::string_view puzzle) const {
  return std::count_if(grids_.begin(), grids_.end(),
                       [&](const std::string& grid) { return solves(grid, puzzle); }) == 1;
}

Example Sudoku::draw(Split split, Key key) const {
  // Of the 1820 ways to leave a grid 4 clues, at least 12 have one solution (counted over
  // 58 grids), more with more clues: 2^14 tries fail with a chance below 1e-46.
  constexpr uint64_t kTries = 1 << 14;
  const bool train = split == Split::kTrain;
  const std::vector<std::string>& solutions = train ? training_ : held_out_;
  const std::string& solution = solutions[below(key, 0, solutions.size())];
  const int64_t range = options_.blanks_max - options_.blanks_min + 1;
  const int64_t blanks = options_.blanks_min + static_cast<int64_t>(below(key, 1, range));
  for (uint64_t i = 0; i < kTries; ++i) {
    std::string puzzle = solution;
    const std::vector<int64_t> cells = permutation(key.fork("blanks", i), kCells);
    for (int64_t b = 0; b < blanks; ++b) puzzle[cells[b]] = '0';
    if (has_one_solution(puzzle))
      return {.prompt = puzzle,
              .problem = puzzle,
              .answer = solution,
              .source = train ? "sudoku/train" : "sudoku/held_out"};
  }
  throw Error(concat("[sudoku] no puzzle of ", solution, " with ", blanks, " blanks in ", kTries,
                     " tries has one solution, expected fewer blanks."));
}

std::string Sudoku::demonstration(const Example& example, Key key) const {
  return sudoku_demonstration(example, options_, key);
}

std::string sudoku_demonstration(const Example& example, const SudokuOptions& options, Key key) {
  const std::string &problem = example.problem, &answer = example.answer;
  const size_t side = sudoku_side(problem.size());
  check(side > 0 && answer.size() == problem.size(), "[sudoku] ", example.source,
        ": problem and answer have ", problem.size(), " and ", answer.size(),
        " characters, expected 16 or 81 each.");
  const Key mine = key.fork("demonstration");  // a caller may draw the example from `key`
  if (uniform(mine, side) < options.right) return answer;
  std::string grid = answer;
  for (size_t row = 0; row < side; ++row) {
    if (uniform(mine, row) < options.right_row) continue;
    std::string missing;
    for (size_t cell = row * side; cell < (row + 1) * side; ++cell)
      if (problem[cell] == '0') missing += answer[cell];
    std::sort(missing.begin(), missing.end());
    if (options.wrong_row == WrongRow::kShuffled) {
      const std::string ascending = std::move(missing);
      missing.clear();
      for (int64_t i : permutation(mine.fork("row", row), std::ssize(ascending)))
        missing += ascending[i];
    }
    for (size_t cell = row * side, next = 0; cell < (row + 1) * side; ++cell)
      if (problem[cell] == '0') grid[cell] = missing[next++];
  }
  return grid;
}

}  // namespace gdsd
