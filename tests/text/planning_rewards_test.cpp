// Sudoku and countdown as gdsd judges them, where the released rewards err.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <numeric>

#include "gdsd/base/check.h"
#include "gdsd/base/random.h"
#include "gdsd/data/sudoku.h"
#include "gdsd/reward/countdown.h"
#include "gdsd/reward/sudoku.h"

namespace gdsd {
namespace {

bool fits(const std::string& grid, size_t cell, char digit) {
  for (size_t other = 0; other < 16; ++other) {
    const bool unit = other / 4 == cell / 4 || other % 4 == cell % 4 ||
                      (other / 8 == cell / 8 && other % 4 / 2 == cell % 4 / 2);
    if (unit && other != cell && grid[other] == digit) return false;
  }
  return true;
}

/// Every way to fill the zeros, by the definition.
void solve(std::string grid, std::vector<std::string>& solutions) {
  const size_t cell = grid.find('0');
  if (cell == std::string::npos) return solutions.push_back(grid);
  for (char digit = '1'; digit <= '4'; ++digit) {
    if (!fits(grid, cell, digit)) continue;
    grid[cell] = digit;
    solve(grid, solutions);
    grid[cell] = '0';
  }
}

std::string shown(const Attempt& attempt) {
  const auto [right, blanks] = blanks_right(attempt);
  return concat(right, "/", blanks);
}

TEST(SudokuByTheRules, IsTheBestAgreementWithAnySolution) {
  std::vector<std::string> grids;
  solve(std::string(16, '0'), grids);
  ASSERT_EQ(grids.size(), 288u);
  int several = 0;
  for (uint64_t i = 0; i < 2000; ++i) {
    const Key key = Key{4}.fork("sudoku rules", i);
    Example e{.answer = grids[below(key, 0, grids.size())]};
    e.problem = e.answer;
    std::string attempt = grids[below(key, 1, grids.size())];
    for (size_t cell = 0; cell < 16; ++cell) {
      if (below(key.fork("blank"), cell, 16) < 6 + i % 10) e.problem[cell] = '0';
      if (below(key.fork("wrong"), cell, 3) == 0)
        attempt[cell] = static_cast<char>('0' + below(key.fork("digit"), cell, 6));
    }
    std::vector<std::string> solutions;
    solve(e.problem, solutions);
    several += solutions.size() > 1;
    const auto blanks = std::count(e.problem.begin(), e.problem.end(), '0');
    int best = 0;
    for (const std::string& s : solutions) {
      int right = 0;
      for (size_t cell = 0; cell < 16; ++cell)
        right += e.problem[cell] == '0' && s[cell] == attempt[cell];
      best = std::max(best, right);
    }
    EXPECT_EQ(shown({&e, attempt}), concat(best, "/", blanks)) << e.problem << " " << attempt;
    EXPECT_EQ(shown({&e, "<answer>" + attempt + "</answer>"}), concat(best, "/", blanks));
  }
  EXPECT_GT(several, 500);
}

TEST(SudokuByTheRules, AnotherSolutionSolvesThePuzzle) {
  const Example e{.problem = "1200340000000000", .answer = "1234341221434321"};
  EXPECT_EQ(shown({&e, e.answer}), "12/12");
  const std::string other = "<answer>1234341243212143</answer>";
  EXPECT_EQ(sudoku_reward({&e, other}), 1.0);
  EXPECT_EQ(sudoku_released({&e, other}), 4.0 / 12) << "compares with the stored one";
}

TEST(SudokuByTheRules, WhatIsStoredIsRightComeWhatMay) {
  const Example e{.problem = "0012341221004300", .answer = "1212341221434321"};
  EXPECT_EQ(shown({&e, e.answer}), "6/6");
}

const Example kSudoku{.problem = "0030040001434021", .answer = "1234341221434321"};

TEST(SudokuAnswer, IsTheDigitsOfTheLastTags) {
  const auto right = [](const std::string& completion) {
    return blanks_right({&kSudoku, completion}).right;
  };
  EXPECT_EQ(right("<answer>1111</answer> no: <answer>\n1 2 3 4\n3|4|1|2\n2143 4321\n</answer>!"),
            8);
  EXPECT_EQ(right("I write <answer> tags. <answer>1234341221434321</answer>"), 8);
  EXPECT_EQ(right("<answer>1234 3412 2143 4321 9</answer>"), 8);
  EXPECT_EQ(right("<answer>0234341221434321</answer>"), 7);
  EXPECT_EQ(right("<answer>5234341221434321</answer>"), 7)
      << "a digit that is none of the puzzle's";
  EXPECT_EQ(right("<answer></answer>1234341221434321"), 0);
  EXPECT_EQ(right("<answer>1234341221434321"), 0) << "not closed: the characters of it all";
  EXPECT_EQ(right("1234341221434321</answer>"), 8);
}

TEST(SudokuAnswer, MalformedExamplesAreErrors) {
  for (const auto& [problem, answer] : {std::pair("", ""),
                                        {"0", "1"},
                                        {"0030040001434021", "1234"},
                                        {"003004000143402x", "1234341221434321"},
                                        {"0030040001434021", "0234341221434321"},
                                        {"0030040001434025", "1234341221434321"}}) {
    const Example e{.problem = problem, .answer = answer};
    EXPECT_THROW(blanks_right({&e, "1"}), Error) << problem;
  }
}

const std::string kGrid =
    "534678912672195348198342567859761423426853791713924856961537284287419635345286179";

TEST(LargeSudoku, IsJudgedByTheSameRules) {
  Example e{.problem =
                "530070000600195000098000060800060003400803001700020006060000280000419005000080079",
            .answer = kGrid};
  EXPECT_EQ(shown({&e, kGrid}), "51/51");
  std::string attempt = kGrid;
  attempt[2] = '9';
  EXPECT_EQ(shown({&e, attempt}), "50/51") << "it has one solution";
  EXPECT_EQ(shown({&e, "<answer>534 678 912</answer>"}), "6/51");
  e.problem = std::string(81, '0');
  EXPECT_EQ(shown({&e, kGrid}), "81/81");
  std::string exchanged = kGrid;
  for (char& c : exchanged) c = c == '1' ? '9' : c == '9' ? '1' : c;
  EXPECT_EQ(shown({&e, exchanged}), "81/81") << "another grid that breaks no rule";
}

TEST(LargeSudoku, TheSearchIsBounded) {
  const Example empty{.problem = std::string(81, '0'), .answer = kGrid};
  std::string attempt;
  for (size_t cell = 0; cell < 81; ++cell)
    attempt += static_cast<char>('1' + below(Key{9}.fork("cell"), cell, 9));
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_GE(blanks_right({&empty, attempt}).right,
            static_cast<int>(std::inner_product(attempt.begin(), attempt.end(), kGrid.begin(), 0,
                                                std::plus<>(), std::equal_to<>())));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(5));
}

const Example kCountdown{.problem = "75,27,17=6"};

double countdown(const std::string& completion) {
  return *countdown_reward({&kCountdown, completion});
}

TEST(CountdownAnswer, IsWhatTheLastTagsHold) {
  EXPECT_EQ(countdown("<answer>1</answer> no, <answer>\n(75 + 27) / 17\n</answer>"), 1.0);
  EXPECT_EQ(countdown("I write <answer> tags. <answer>(75+27)/17</answer>"), 1.0);
  EXPECT_EQ(countdown("<answer>(75+27)/17</answer><answer>75</answer>"), 0.1);
  EXPECT_EQ(countdown("<answer>\\boxed{(75+27)/17}</answer>"), 1.0);
  EXPECT_EQ(countdown("So \\boxed{(27+75)\\div 17}"), 1.0);
  EXPECT_EQ(countdown("(27+75)÷17\n"), 1.0);
  EXPECT_EQ(countdown("<answer>(75+27)/17 = 6</answer>"), 0.1) << "an expression was asked for";
  EXPECT_EQ(countdown("<answer>(75+27)/17"), 0.1);
  EXPECT_EQ(countdown("<answer></answer>"), 0.1);
  EXPECT_EQ(countdown(""), 0.0);
}

TEST(CountdownAnswer, IsExactAndKnowsNoPowers) {
  const auto reward = [](const std::string& problem, const std::string& expression, bool released) {
    const Example e{.problem = problem};
    const std::string completion = "<answer>" + expression + "</answer>";
    return released ? *countdown_released({&e, completion}) : *countdown_reward({&e, completion});
  };
  for (const auto& [problem, expression] : {std::pair("2,3=8", "2**3"),
                                            {"2,7=3", "7//2"},
                                            {"3,7=7", "3*0+7.0"},
                                            {"99998,99999=1", "99998/99999"},
                                            {"2,5=7", ".2*10+5"},
                                            {"94,90,86=98", "94*90//86"}})
    EXPECT_EQ(reward(problem, expression, /*released=*/false), 0.1) << expression;
  EXPECT_EQ(reward("2,3=8", "2**3", /*released=*/true), 1.0);
  EXPECT_EQ(reward("94,90,86=98", "94*90//86", /*released=*/true), 1.0);
  EXPECT_EQ(reward("200001,200000=1", "200001/200000", /*released=*/true), 1.0) << "within 1e-5";
  EXPECT_EQ(reward("200001,200000=1", "200001/200000", /*released=*/false), 0.1);
  EXPECT_EQ(reward("3,3,1=1", "1/3*3", /*released=*/false), 1.0);
  EXPECT_EQ(reward("2,3,5,7,11=33", "(2+3+5-7)*11", /*released=*/false), 1.0)
      << "any number of them";
  EXPECT_EQ(reward("5=5", "5", /*released=*/false), 1.0);
  EXPECT_EQ(reward("5,7=-2", "5-7", /*released=*/false), 1.0);
}

TEST(CountdownReleased, RaisesWhereThePythonDoes) {
  const Example e{.problem = "3,7=21"};
  const auto result = [&](const std::string& text) {
    return countdown_eval_released({.example = &e, .completion = "", .generation = text},
                                   CountdownParser::kEval);
  };
  EXPECT_TRUE(result("<answer>3*7</answer>")->correct);
  EXPECT_FALSE(result("<answer>3+7</answer>")->correct);
  EXPECT_FALSE(result("<answer>3*7*()</answer>").has_value()) << "() - 21 is a TypeError";
  EXPECT_EQ(countdown_released({&e, "<answer>3*7*()</answer>"}), 0.1) << "caught in training";
  EXPECT_EQ(countdown_released({&e, "3*7"}), 0.0) << "no tags";
}

}  // namespace
}  // namespace gdsd
