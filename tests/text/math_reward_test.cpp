#include <gtest/gtest.h>

#include <ctime>
#include <vector>

#include "gdsd/base/check.h"
#include "gdsd/reward/math.h"
#include "gdsd/reward/math_answer.h"

namespace gdsd {
namespace {

double reward(const std::string& completion, const std::string& gold) {
  const Example example{.answer = gold, .source = "math/test"};
  return *math_reward({.example = &example, .completion = completion});
}

TEST(MathReward, ReadsTheLastBoxOfTheLastAnswer) {
  EXPECT_EQ(
      reward("\\boxed{3} <answer>\\boxed{1} no, \\boxed{0.5}</answer> \\boxed{7}", "\\frac12"), 1);
  EXPECT_EQ(reward("<answer>\\boxed{1}</answer><answer>\\boxed{2}</answer>", "2"), 1);
  EXPECT_EQ(reward("<answer>\\boxed{1}</answer><answer>\\boxed{2}</answer>", "1"), 0);
  EXPECT_EQ(reward("\\boxed{1} so <answer>two</answer> \\boxed{2}", "2"), 1) << "else of the text";
  EXPECT_EQ(reward("<answer> 6r^2-4r-24 </answer>", "6r^2 - 4r - 24"), 1)
      << "else what is enclosed";
  EXPECT_EQ(reward("The answer is 12.", "12"), 1) << "else what the text ends with";
  EXPECT_EQ(reward("We get $x = \\frac{3}{4}$", "0.75"), 1);
}

TEST(MathReward, AnAnswerEndsAtTheLastClosingTag) {
  EXPECT_EQ(reward("<answer>\\boxed{1}</answer> or <answer>2", "1"), 1);
  EXPECT_EQ(reward("<answer>$3$</answer><answer>$4$ </answer> <answer> $5$", "4"), 1);
  EXPECT_EQ(reward("<answer> 1 </answer> 2 </answer>", "1"), 0);
}

TEST(MathReward, TextsThatCutUnitsOrNamesAwayDoNotCount) {
  for (const auto& [answer, gold] : {std::pair("3", "3 \\text{ and } 5"),
                                     {"3\\text{ x}", "3 \\text{ and } 5"},
                                     {"\\text{ Tuesday}", "\\text{ Monday}"},
                                     {"\\text{ x}", "\\text{ Monday}"},
                                     {"\\left", "\\right"},
                                     {"12", "xy=12"},
                                     {"2x=4", "4"},
                                     {"10\\text{ p.m.}", "10\\text{ a.m.}"}}) {
    EXPECT_EQ(reward(concat("\\boxed{", answer, "}"), gold), 0) << answer << " for " << gold;
    EXPECT_EQ(reward(concat("\\boxed{", gold, "}"), answer), 0) << gold << " for " << answer;
  }
  EXPECT_EQ(reward("\\boxed{5,3}", "3 \\text{ and } 5"), 1);
  EXPECT_EQ(reward("\\boxed{\\text{Monday}}", "\\text{ Monday}"), 1);
}

TEST(MathReward, TakesTheGoldFromASolution) {
  EXPECT_EQ(reward("\\boxed{9/5}", "Since $3 = 3$ we get $\\boxed{1\\frac{4}{5}}$ in all."), 1);
  EXPECT_EQ(reward("\\boxed{3}", "Since $3 = 3$ we get $\\boxed{1\\frac{4}{5}}$ in all."), 0);
}

TEST(MathReward, AcceptsWhatEitherRuleAccepts) {
  EXPECT_EQ(reward("\\boxed{\\foo 12}", "\\foo12"), 1) << "not read, the same text";
  EXPECT_EQ(reward("\\boxed{10\\%}", "10"), 1) << "a percent sign is left out of texts";
}

TEST(MathReward, NothingIsNeverAnAnswer) {
  for (const std::string gold : {"", "\\boxed{}", "none", "5"})
    for (const std::string completion :
         {"", "\\boxed{}", "\\boxed{", "<answer></answer>", "\\boxed{ }"})
      EXPECT_EQ(reward(completion, gold), 0) << completion << " for " << gold;
}

TEST(MathRewardsReleased, TwoMissingBoxesAreEqual) {
  const Example example{.answer = "\\boxed{1"};
  EXPECT_EQ(math_xml_released({.example = &example, .completion = "\\boxed{2"}), 2);
  EXPECT_EQ(math_boxed_released({.example = &example, .completion = "\\boxed{2"}), 0);
}

TEST(Answers, AreSoughtInOrder) {
  const auto first = [](const std::string& text) {
    const auto found = answers(text);
    return found.empty() ? std::string() : found[0].text + (found[0].percent ? "%" : "");
  };
  EXPECT_EQ(first("$1$ and \\boxed{2}, so 3"), "2");
  EXPECT_EQ(first("\\boxed{1}, \\boxed{2} and \\boxed{3}."), "1,2,3");
  EXPECT_EQ(first("The answer is 5, as anyone sees who adds up the two numbers: $2+3=5$ > 4"), "5");
  EXPECT_EQ(first("first $1$, then $2$ of 3 things"), "3");
  EXPECT_EQ(first("\\(x\\) or \\[y\\]"), "x;y");
  EXPECT_EQ(first("it costs $1,234.50 or so"), "1234.50");
  EXPECT_EQ(first("that is 12 %"), "12%");
  EXPECT_EQ(first("it is 3/4."), "3/4");
  EXPECT_EQ(first("-\\frac{1}{2}"), "-\\frac{1}{2}");
  EXPECT_EQ(first("x2 and 'none'"), "");
}

TEST(Answers, AgreeOnlyIfBothSayOne) {
  EXPECT_TRUE(answers_agree("so $\\frac12$.", "\\boxed{0.5}"));
  EXPECT_FALSE(answers_agree("none", "none"));
  EXPECT_FALSE(answers_agree("", ""));
}

TEST(Answers, ShareABudget) {
  const std::string costly = "$(a+b+c+d+e+" + std::string(3000, 'x') + ")^{50}$";
  std::string text;
  for (int i = 0; i < 8; ++i) text += costly + " then ";
  EXPECT_FALSE(answers_agree("so $3$ then " + costly, "3")) << "nothing is left to read 3 with";
  EXPECT_TRUE(answers_agree("so $3$ then $(a$", "3"));
}

TEST(MathRewards, TakeBoundedTimeOnAnything) {
  const Example example{.answer = "\\boxed{(x+1)^{100}}"};
  for (const char* unit :
       {"(", "\\boxed{", "\\boxed{}", "\\boxed{1},", "$", "\\(", "\\[", "$1$ and ", "1 ", "1,000,",
        "answer 1 ", "<answer>", "1/", "\\frac{1}{2}", "$\\binom{5}{1000000000}$ then ", "\xff"}) {
    std::string text;
    while (text.size() < (1 << 20)) text += unit;
    for (const std::string& t : {text, "\\boxed{" + text + "}"}) {
      const Attempt attempt{.example = &example, .completion = t, .generation = t};
      const std::clock_t begin = std::clock();
      EXPECT_EQ(math_reward(attempt), 0);
      EXPECT_EQ(math_boxed_released(attempt), 0);
      EXPECT_EQ(math_xml_released(attempt), 0);
      EXPECT_FALSE(math_eval_released(attempt).correct);
      EXPECT_LT(static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC, 3) << unit;
    }
  }
}

}  // namespace
}  // namespace gdsd
