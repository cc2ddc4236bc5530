// 9x9 sudoku: a random grid whose cells are blanked for as long as it stays the only solution.
#include "gdsd/base/check.h"
#include "gdsd/base/random.h"
#include "gdsd/data/sudoku.h"
#include "gdsd/data/sudoku_grid.h"

namespace gdsd {
namespace {

constexpr double kHeldOutPart = 0.1;

/// The grid with `blanks` cells blanked in an order drawn from `key`, or nullopt where more would
/// leave it a second solution.
std::optional<std::string> dig(std::string grid, int64_t blanks, Key key) {
  for (int64_t cell : permutation(key, std::ssize(grid))) {
    if (blanks == 0) break;
    const char digit = std::exchange(grid[cell], '0');
    if (count_sudoku_solutions(grid, 2) == 1)
      --blanks;
    else
      grid[cell] = digit;
  }
  return blanks == 0 ? std::optional(grid) : std::nullopt;
}

}  // namespace

bool is_held_out_grid(std::string_view grid) {
  return uniform(Key{}.fork("sudoku split").fork(renamed_sudoku_grid(grid)), 0) < kHeldOutPart;
}

LargeSudoku::LargeSudoku(SudokuOptions options) : options_(std::move(options)) {
  options_.validate();
  check_field(options_.side == 9, "side", "got ", options_.side, ", expected 9.");
}

Example LargeSudoku::draw(Split split, Key key) const {
  // A tenth of the grids are held out, and a grid and order allow 54 blanks in most tries.
  constexpr uint64_t kTries = 1 << 12;
  const bool train = split == Split::kTrain;
  const int64_t range = options_.blanks_max - options_.blanks_min + 1;
  const int64_t blanks = options_.blanks_min + static_cast<int64_t>(below(key, 0, range));
  for (uint64_t i = 0; i < kTries; ++i) {
    const std::string solution = random_sudoku_grid(key.fork("grid", i));
    if (is_held_out_grid(solution) == train) continue;
    const auto puzzle = dig(solution, blanks, key.fork("blanks", i));
    if (!puzzle) continue;
    return {.prompt = *puzzle,
            .problem = *puzzle,
            .answer = solution,
            .source = train ? "sudoku/train" : "sudoku/held_out"};
  }
  throw Error(concat("[sudoku] no puzzle with ", blanks, " blanks in ", kTries,
                     " tries has one solution, expected fewer blanks."));
}

std::string LargeSudoku::demonstration(const Example& example, Key key) const {
  return sudoku_demonstration(example, options_, key);
}

}  // namespace gdsd
