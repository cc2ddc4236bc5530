// Sudoku and countdown.
#include <gtest/gtest.h>

#include "gdsd/base/check.h"
#include "gdsd/reward/countdown.h"
#include "gdsd/reward/sudoku.h"
#include "tests/golden_rewards/rewards.h"

namespace gdsd::golden {
namespace {

Example countdown_of(const json& line) {
  std::string problem;
  for (const json& n : line.at("numbers"))
    problem += (problem.empty() ? "" : ",") + std::to_string(n.get<int64_t>());
  return {.problem = problem + "=" + std::to_string(line.at("target").get<int64_t>())};
}

void check_countdown(const json& line) {
  const Example example = countdown_of(line);
  EXPECT_EQ(countdown_released({&example, line.at("completion").get<std::string>()}),
            line.at("score").get<double>());
}

void check_eval_countdown(const json& line) {
  const Example example = countdown_of(line);
  const auto parser = line.at("function") == "eval.parse_countdown_answers"
                          ? CountdownParser::kEval
                          : CountdownParser::kMathEval;
  const auto result = countdown_eval_released(
      {.example = &example, .completion = "", .generation = line.at("generation")}, parser);
  ASSERT_EQ(result.has_value(), !line.contains("raises"));
  if (!result) return;
  EXPECT_EQ(result->extracted, line.at("extracted").get<std::string>());
  EXPECT_EQ(result->correct, line.at("score") == 1);
}

Example sudoku_of(const json& line) {
  return {.problem = line.at("puzzle"), .answer = line.at("solution")};
}

void check_sudoku(const json& line) {
  const Example example = sudoku_of(line);
  EXPECT_EQ(sudoku_released({&example, line.at("completion").get<std::string>()}),
            line.at("score").get<double>());
}

void check_eval_sudoku(const json& line) {
  const Example example = sudoku_of(line);
  const auto result = sudoku_eval_released(
      {.example = &example, .completion = "", .generation = line.at("generation")});
  EXPECT_EQ(result.extracted, line.at("extracted").get<std::string>());
  EXPECT_EQ(result.right, line.at("score").get<int>());
  EXPECT_EQ(result.blanks, line.at("empty_cells").get<int>());
}

}  // namespace

std::map<std::string, Check> planning_checks() {
  return {{"countdown", check_countdown},
          {"eval_countdown", check_eval_countdown},
          {"sudoku", check_sudoku},
          {"eval_sudoku", check_eval_sudoku}};
}

}  // namespace gdsd::golden
