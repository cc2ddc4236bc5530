#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "gdsd/base/random.h"
#include "gdsd/data/sudoku.h"
#include "gdsd/data/sudoku_grid.h"
#include "tests/error_of.h"

namespace gdsd {
namespace {

Key key(uint64_t i) { return Key{7}.fork("large_sudoku_test", i); }

SudokuOptions large(int64_t least, int64_t most) {
  SudokuOptions o;
  o.side = 9;
  o.blanks_min = least;
  o.blanks_max = most;
  return o;
}

/// By the definition: every digit once in every row, column and box.
bool is_grid(const std::string& grid, size_t side, size_t box) {
  for (size_t unit = 0; unit < side; ++unit) {
    std::set<char> row, column, square;
    for (size_t i = 0; i < side; ++i) {
      row.insert(grid[unit * side + i]);
      column.insert(grid[i * side + unit]);
      square.insert(grid[(unit / box * box + i / box) * side + unit % box * box + i % box]);
    }
    for (const auto& digits : {row, column, square})
      if (digits.size() != side || *digits.begin() != '1' || *digits.rbegin() != '0' + char(side))
        return false;
  }
  return true;
}

/// Fills blanks from the left with whatever keeps to the rules so far: slow and plain.
int64_t count_plainly(std::string& grid, size_t cell = 0) {
  while (cell < grid.size() && grid[cell] != '0') ++cell;
  if (cell == grid.size()) return 1;
  int64_t found = 0;
  for (char digit = '1'; digit <= '4'; ++digit) {
    bool fits = true;
    for (size_t other = 0; other < 16; ++other)
      if (other != cell && grid[other] == digit &&
          (other / 4 == cell / 4 || other % 4 == cell % 4 ||
           (other / 8 == cell / 8 && other % 4 / 2 == cell % 4 / 2)))
        fits = false;
    if (!fits) continue;
    grid[cell] = digit;
    found += count_plainly(grid, cell + 1);
    grid[cell] = '0';
  }
  return found;
}

TEST(SudokuGrid, CountsSolutionsAsAPlainSearchDoes) {
  EXPECT_EQ(count_sudoku_solutions(std::string(16, '0'), 1000), 288);
  EXPECT_EQ(count_sudoku_solutions(std::string(16, '0'), 17), 17);
  EXPECT_EQ(count_sudoku_solutions("1100000000000000", 9), 0);
  const std::string solution = "1234341221434321";
  for (uint64_t i = 0; i < 300; ++i) {
    std::string puzzle = solution;
    const auto cells = permutation(key(i), 16);
    for (uint64_t b = 0; b < 6 + i % 9; ++b) puzzle[cells[b]] = '0';
    std::string copy = puzzle;
    EXPECT_EQ(count_sudoku_solutions(puzzle, 1000), count_plainly(copy)) << puzzle;
  }
  for (const char* bad : {"", "123", "123434122143432x", "1234341221434325"})
    EXPECT_NE(error_of([&] { count_sudoku_solutions(bad, 2); }), "no error") << bad;
}

TEST(SudokuGrid, KnowsWhatASolutionIs) {
  EXPECT_TRUE(is_sudoku_solution("1234341221434321"));
  for (const char* bad : {"", "1234341221434312", "1234341221434320", "5234341221434321", "1234"})
    EXPECT_FALSE(is_sudoku_solution(bad)) << bad;
  std::set<std::string> grids;
  for (uint64_t i = 0; i < 200; ++i) {
    const std::string grid = random_sudoku_grid(key(i));
    EXPECT_TRUE(is_grid(grid, 9, 3) && is_sudoku_solution(grid)) << grid;
    EXPECT_EQ(grid, random_sudoku_grid(key(i)));
    std::string broken = grid;
    const size_t cell = i % 81;
    broken[cell] = broken[cell] == '9' ? '1' : static_cast<char>(broken[cell] + 1);
    EXPECT_FALSE(is_sudoku_solution(broken));
    grids.insert(renamed_sudoku_grid(grid));
  }
  EXPECT_EQ(grids.size(), 200u);
}

TEST(LargeSudoku, PuzzlesHaveOneSolutionWhichIsTheirs) {
  for (const auto& [least, most] : {std::pair{1, 3}, {30, 45}, {54, 54}}) {
    const LargeSudoku sudoku(large(least, most));
    for (uint64_t i = 0; i < 60; ++i) {
      const Example e = sudoku.draw(i % 2 ? Split::kTrain : Split::kHeldOut, key(i));
      EXPECT_EQ(e.source, i % 2 ? "sudoku/train" : "sudoku/held_out");
      const auto blanks = std::count(e.problem.begin(), e.problem.end(), '0');
      EXPECT_TRUE(blanks >= least && blanks <= most) << blanks;
      EXPECT_TRUE(is_grid(e.answer, 9, 3));
      for (size_t cell = 0; cell < 81; ++cell)
        EXPECT_TRUE(e.problem[cell] == '0' || e.problem[cell] == e.answer[cell]);
      EXPECT_EQ(count_sudoku_solutions(e.problem, 2), 1);
    }
  }
}

TEST(LargeSudoku, SplitsNeverShareASolutionHoweverItsDigitsAreNamed) {
  const LargeSudoku sudoku(large(20, 20));
  int held_out = 0;
  for (uint64_t i = 0; i < 400; ++i) {
    EXPECT_FALSE(is_held_out_grid(sudoku.draw(Split::kTrain, key(i)).answer));
    const std::string grid = sudoku.draw(Split::kHeldOut, key(i)).answer;
    EXPECT_TRUE(is_held_out_grid(grid));
    std::string renamed = grid;
    const auto names = permutation(key(i), 9);
    for (char& c : renamed) c = static_cast<char>('1' + names[c - '1']);
    EXPECT_TRUE(is_held_out_grid(renamed));
    held_out += is_held_out_grid(random_sudoku_grid(key(i)));
  }
  EXPECT_NEAR(held_out, 40, 30);  // 5 standard deviations
}

TEST(LargeSudoku, TheNumberOfBlanksIsUniform) {
  const LargeSudoku sudoku(large(20, 22));
  std::map<long, int> seen;
  for (uint64_t i = 0; i < 900; ++i) {
    const std::string puzzle = sudoku.draw(Split::kTrain, key(i)).problem;
    ++seen[std::count(puzzle.begin(), puzzle.end(), '0')];
  }
  EXPECT_EQ(seen.size(), 3u);
  for (const auto& [blanks, count] : seen) EXPECT_NEAR(count, 300, 71) << blanks;
}

TEST(LargeSudoku, DrawsStayTheSameAcrossReleases) {
  const LargeSudoku sudoku(large(50, 50));
  EXPECT_EQ(sudoku.draw(Split::kTrain, Key{1}).prompt,
            "070800532000029800800000060600000000910300200027000056201608000040007603006130008");
}

TEST(LargeSudoku, AnAnnotatorIsRightOrGuessesEachRow) {
  SudokuOptions options = large(40, 40);
  options.right_row = 0.5;
  const LargeSudoku sudoku(options);
  int rows = 0;
  for (uint64_t i = 0; i < 100; ++i) {
    const Example e = sudoku.draw(Split::kTrain, key(i));
    const std::string grid = sudoku.demonstration(e, key(i));
    ASSERT_EQ(grid.size(), 81u);
    for (size_t row = 0; row < 9; ++row) {
      std::string digits = grid.substr(9 * row, 9);
      rows += digits == e.answer.substr(9 * row, 9);
      std::sort(digits.begin(), digits.end());
      EXPECT_EQ(digits, "123456789");
    }
    options.right = 1;
    EXPECT_EQ(sudoku_demonstration(e, options, key(i)), e.answer);
    options.right = 0;
  }
  // Half are got right, and of the others those whose missing digits ascend.
  EXPECT_TRUE(rows > 450 - 75 && rows < 450 + 225) << rows;
}

TEST(LargeSudoku, OptionsOutOfRangeAreErrors) {
  EXPECT_THROW(LargeSudoku(large(0, 5)), FieldError);
  EXPECT_THROW(LargeSudoku(large(40, 55)), FieldError);
  EXPECT_THROW(LargeSudoku(SudokuOptions{}), FieldError);
  EXPECT_THROW(Sudoku(large(7, 10)), FieldError);
  SudokuOptions options = large(7, 10);
  options.prompt = SudokuPrompt::kEspo;
  EXPECT_THROW(options.validate(), FieldError);
  options.side = 6;
  EXPECT_THROW(options.validate(), FieldError);
}

}  // namespace
}  // namespace gdsd
