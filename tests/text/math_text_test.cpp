#include "gdsd/reward/math_text.h"
#include "gdsd/text/answer.h"

#include <gtest/gtest.h>

namespace gdsd {
namespace {

TEST(MathText, ReadsTheLastBoxLikeTheReleasedCode) {
  EXPECT_EQ(last_boxed("a \\boxed{1} b \\boxed{\\frac{2}{3}} c"), "\\boxed{\\frac{2}{3}}");
  EXPECT_EQ(last_boxed("$\\boxed 5$ end"), "\\boxed 5") << "with a space, up to the dollar";
  EXPECT_EQ(last_boxed("\\fbox{7}"), "\\fbox{7}");
  EXPECT_EQ(last_boxed("none"), "none") << "the text itself";
  EXPECT_EQ(last_boxed("\\boxed{1"), std::nullopt);
  EXPECT_EQ(remove_boxed("\\boxed{x}"), "x");
  EXPECT_EQ(remove_boxed("\\fbox{x}"), "\\fbox{x}");
}

TEST(MathText, RewritesAnswers) {
  const auto training = [](std::string_view s) { return rewritten(s, StringRule::kTraining); };
  EXPECT_EQ(training("\\dfrac12"), "\\frac{1}{2}");
  EXPECT_EQ(training("0.5"), "\\frac{1}{2}");
  EXPECT_EQ(training("-1/2"), "\\frac{-1}{2}");
  EXPECT_EQ(training("01/2"), "01/2") << "not as Python prints the integer";
  EXPECT_EQ(training("k=.5"), ".5") << "the point leads only before the equation is cut";
  EXPECT_EQ(training("11\\sqrt2"), "11\\sqrt{2}");
  EXPECT_EQ(training("\\left( 3, 4\\right)"), "(3,4)");
  EXPECT_EQ(training("5\\text{ cm}\\text{ x}"), "5");
  EXPECT_EQ(rewritten("5\\text{ cm}\\text{ x}", StringRule::kEvaluation), std::nullopt);
  EXPECT_EQ(rewritten("x/2", StringRule::kEvaluation), std::nullopt);
}

TEST(MathText, TwoMissingAnswersAreEqualAsReleased) {
  EXPECT_TRUE(string_equivalent(std::nullopt, std::nullopt));
  EXPECT_FALSE(string_equivalent(std::nullopt, "1"));
  EXPECT_TRUE(string_equivalent("x/2", "x/2", StringRule::kEvaluation)) << "as they were";
  EXPECT_FALSE(string_equivalent("x/2", " x/2", StringRule::kEvaluation));
}

TEST(MathText, FindsTheLastBoxThatIsClosedAndNotBlank) {
  EXPECT_EQ(boxed_answer("\\boxed{1} then \\boxed{ 2 } then \\boxed{ } and \\boxed{3"), "2");
  EXPECT_EQ(boxed_answer("\\boxed{a\\boxed{b}c}"), "b");
  EXPECT_EQ(boxed_answer("} \\boxed{\\{1\\}}"), "\\{1\\}");
  EXPECT_EQ(boxed_answer("{\\boxed{4}"), "4");
  EXPECT_EQ(boxed_answer("\\fbox{4}"), std::nullopt);
  std::string open;
  while (open.size() < (1 << 20)) open += "\\boxed{";
  EXPECT_EQ(boxed_answer(open), std::nullopt);
}

}  // namespace
}  // namespace gdsd
