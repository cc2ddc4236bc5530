#include "gdsd/data/sudoku.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "gdsd/base/random.h"
#include "gdsd/data/task.h"

namespace gdsd {
namespace {

Key key(uint64_t i) { return Key{7}.fork("sudoku_test", i); }

int64_t blanks(const std::string& puzzle) { return std::count(puzzle.begin(), puzzle.end(), '0'); }

/// Appends every solution of the puzzle, found digit by digit, to `all`.
void solve(std::string puzzle, std::vector<std::string>& all) {
  const size_t cell = puzzle.find('0');
  if (cell == std::string::npos) return all.push_back(puzzle);
  for (char digit = '1'; digit <= '4'; ++digit) {
    bool fits = true;
    for (size_t i = 0; i < 4; ++i) {
      const size_t box = cell / 8 * 8 + cell % 4 / 2 * 2 + i / 2 * 4 + i % 2;
      for (size_t other : {cell / 4 * 4 + i, i * 4 + cell % 4, box}) fits &= puzzle[other] != digit;
    }
    if (!fits) continue;
    puzzle[cell] = digit;
    solve(puzzle, all);
  }
}

TEST(Sudoku, PuzzlesHaveOneSolutionAndTheBlanksAskedFor) {
  for (const auto& [least, most] : {std::pair{1, 3}, {7, 10}, {12, 12}}) {
    const Sudoku sudoku({.blanks_min = least, .blanks_max = most});
    std::set<int64_t> seen;
    for (uint64_t i = 0; i < 200; ++i) {
      const Example e = sudoku.draw(i % 2 ? Split::kTrain : Split::kHeldOut, key(i));
      std::vector<std::string> solutions;
      solve(e.prompt, solutions);
      EXPECT_EQ(solutions, std::vector{e.answer}) << e.prompt;
      seen.insert(blanks(e.prompt));
    }
    EXPECT_EQ(static_cast<int>(seen.size()), most - least + 1);
    EXPECT_EQ(*seen.begin(), least);
  }
}

TEST(Sudoku, SplitsAre200And88DisjointSolutions) {
  const Sudoku sudoku({});
  std::set<std::string> train, held_out;
  for (uint64_t i = 0; i < 4000; ++i) {
    train.insert(sudoku.draw(Split::kTrain, key(i)).answer);
    held_out.insert(sudoku.draw(Split::kHeldOut, key(i)).answer);
  }
  EXPECT_EQ(train.size(), 200u);
  EXPECT_EQ(held_out.size(), 88u);
  for (const std::string& grid : held_out) EXPECT_FALSE(train.contains(grid));
  EXPECT_EQ(sudoku.draw(Split::kTrain, key(0)).source, "sudoku/train");
  EXPECT_EQ(sudoku.draw(Split::kHeldOut, key(0)).source, "sudoku/held_out");
}

TEST(Sudoku, DrawsAreFunctionsOfTheKey) {
  const Sudoku a({.right_row = 0.5}), b({.right_row = 0.5});
  std::set<std::string> puzzles;
  for (uint64_t i = 100; i-- > 0;) {
    const Example e = a.draw(Split::kTrain, key(i)), f = b.draw(Split::kTrain, key(i));
    EXPECT_EQ(e.prompt, f.prompt);
    EXPECT_EQ(a.demonstration(e, key(i)), b.demonstration(f, key(i)));
    puzzles.insert(e.prompt);
  }
  EXPECT_GT(puzzles.size(), 95u);
}

TEST(Sudoku, DrawsStayTheSameAcrossReleases) {  // the splits and data of published runs
  const Sudoku sudoku({});
  EXPECT_EQ(sudoku.draw(Split::kTrain, Key{1}).prompt, "0000320103001030");
  EXPECT_EQ(sudoku.draw(Split::kHeldOut, Key{1}).prompt, "0300204030021000");
}

TEST(Sudoku, DemonstrationsOfACarefulAndOfALazyAnnotator) {
  const Example e{.problem =
                      "0030"
                      "0400"
                      "0143"
                      "4021",
                  .answer =
                      "1234"
                      "3412"
                      "2143"
                      "4321",
                  .source = "test"};
  EXPECT_EQ(Sudoku({.right_row = 1}).demonstration(e, key(0)), e.answer);
  EXPECT_EQ(Sudoku({.right_row = 0}).demonstration(e, key(0)),
            "1234"
            "1423"
            "2143"
            "4321");
  EXPECT_THROW(Sudoku({}).demonstration({.problem = "0", .answer = "1", .source = ""}, key(0)),
               Error);
}

TEST(Sudoku, RightRowIsTheChanceOfEachRow) {
  const Sudoku sudoku({.right_row = 0.3});
  const Example e{.problem = std::string(16, '0'),
                  .answer =
                      "4321"
                      "2143"
                      "3412"
                      "1234",
                  .source = "test"};  // not a puzzle, but only its last row is in ascending order
  std::map<std::string, int> rows;
  int both = 0;
  for (uint64_t i = 0; i < 4000; ++i) {
    const std::string grid = sudoku.demonstration(e, key(i));
    for (size_t row = 0; row < 4; ++row) ++rows[grid.substr(4 * row, 4)];
    both += grid.starts_with("43212143");
  }
  EXPECT_EQ(rows.size(), 4u);
  for (const char* row : {"4321", "2143", "3412"}) EXPECT_NEAR(rows[row], 1200, 145);  // 5 s.d.
  EXPECT_NEAR(both, 360, 90);  // rows are independent: 0.3²; 5 s.d.
}

TEST(Sudoku, AnAnnotatorIsRightOrGuessesEachRow) {
  const Sudoku sudoku({.right = 0.3, .right_row = 0, .wrong_row = WrongRow::kShuffled});
  const Example e{.problem = std::string("0000") + "0143" + "3412" + "1230",
                  .answer =
                      "4321"
                      "2143"
                      "3412"
                      "1234",
                  .source = "test"};  // only the first row can be wrong
  std::map<std::string, int> rows;
  int right = 0;
  for (uint64_t i = 0; i < 9600; ++i) {
    const std::string grid = sudoku.demonstration(e, key(i));
    EXPECT_EQ(grid.substr(4), e.answer.substr(4));
    ++rows[grid.substr(0, 4)];
    right += grid == e.answer;
  }
  EXPECT_EQ(rows.size(), 24u);
  EXPECT_NEAR(right, 9600 * (0.3 + 0.7 / 24), 230);  // 5 s.d.
  rows.erase("4321");
  for (const auto& [row, count] : rows) EXPECT_NEAR(count, 280, 83) << row;
}

TEST(Sudoku, TheDemonstrationIsIndependentOfADrawFromTheSameKey) {
  const Sudoku sudoku({.right_row = 0.5});
  std::set<std::string> wrong;  // the solutions whose first row was once wrong
  for (uint64_t i = 0; i < 4000; ++i) {
    const Example e = sudoku.draw(Split::kTrain, key(i));
    if (!sudoku.demonstration(e, key(i)).starts_with(e.answer.substr(0, 4))) wrong.insert(e.answer);
  }
  EXPECT_GT(wrong.size(), 150u);  // of 200, but for those that start with 1234
}

TEST(Sudoku, OptionsOutOfRangeAreErrors) {
  EXPECT_THROW(Sudoku({.blanks_min = 0}), FieldError);
  EXPECT_THROW(Sudoku({.blanks_min = 11, .blanks_max = 10}), FieldError);
  EXPECT_THROW(Sudoku({.blanks_max = 13}), FieldError);
  EXPECT_THROW(Sudoku({.right = -0.01}), FieldError);
  EXPECT_THROW(Sudoku({.right_row = 1.01}), FieldError);
  EXPECT_THROW(Sudoku({.right_row = -0.01}), FieldError);
  EXPECT_THROW(problems_of(SudokuOptions{.right_row = 0.0 / 0.0}), FieldError);
}

TEST(Task, EveryProblemIsWrittenInItsAlphabet) {
  SudokuOptions sudoku;
  sudoku.right_row = 0.5;
  CountdownOptions countdown;
  countdown.right = 0.5;
  for (const TaskOptions& task : std::vector<TaskOptions>{sudoku, countdown}) {
    const auto problems = problems_of(task);
    const std::string name = std::visit([](const auto& o) { return std::string(o.kName); }, task);
    for (uint64_t i = 0; i < 200; ++i) {
      const Example e = problems->draw(Split::kTrain, key(i));
      EXPECT_EQ(e.source, name + "/train");
      const std::string text = e.prompt + e.answer + problems->demonstration(e, key(i));
      EXPECT_EQ(text.find_first_not_of(problems->alphabet()), std::string::npos) << text;
    }
  }
}

}  // namespace
}  // namespace gdsd
