#include "gdsd/reward/gsm8k.h"

#include <gtest/gtest.h>

#include "gdsd/base/check.h"
#include "gdsd/text/answer.h"

namespace gdsd {
namespace {

std::string number(std::string_view text, Which which = Which::kLast) {
  const auto value = number_in(text, which);
  return value ? value->str() : "none";
}

TEST(NumberIn, ReadsWhatPeopleWrite) {
  for (const char* text : {"1234",     "1,234",
                           "1234.0",   "1,234.00",
                           "$1,234",   "$1,234.00 dollars",
                           "\\$1,234", "1{,}234",
                           "1\\,234",  "01234",
                           "**1234**", "(1234)",
                           "1234.",    "x = 1234",
                           "1.234e3",  "12340e-1",
                           "2468/2",   "\\frac{2468}{2}",
                           "1234%",    "1234kg",
                           "+1234",    "about 1234, I think"})
    EXPECT_EQ(number(text), "1234") << text;
  for (const char* text : {"-5", "−5", "$-5", "-$5", "--5", "= -5.0", "-10/2", "-\\frac{10}{2}"})
    EXPECT_EQ(number(text), "-5") << text;
  EXPECT_EQ(number("72.50"), "145/2");
  EXPECT_EQ(number(".5"), "1/2");
  EXPECT_EQ(number("3/4 of a cup"), "3/4");
  EXPECT_EQ(number("\\dfrac{1}{3}"), "1/3");
  EXPECT_EQ(number("\\frac{3}{4.5}"), "9/2") << "not read as a fraction, so the last number";
  EXPECT_EQ(number("0.1"), "1/10") << "exactly";
  EXPECT_EQ(number("5 eggs"), "5");
  EXPECT_EQ(number("5e"), "5");
}

TEST(NumberIn, TakesTheFirstOrTheLast) {
  EXPECT_EQ(number("3 + 15 = 18"), "18");
  EXPECT_EQ(number("3 + 15 = 18", Which::kFirst), "3");
  EXPECT_EQ(number("75-70"), "70") << "a minus between two numbers is no sign";
  EXPECT_EQ(number("75 - 70"), "70");
  EXPECT_EQ(number("1, 2, 3"), "3");
  EXPECT_EQ(number("1,2,3"), "3");
  EXPECT_EQ(number("12,34"), "34");
  EXPECT_EQ(number("1234,567"), "567") << "no way to write thousands";
  EXPECT_EQ(number("18 apples and 2x more of H2O"), "2");
  EXPECT_EQ(number("12 then a7"), "12") << "part of a word";
}

TEST(NumberIn, IsNoneWhereThereIsNone) {
  for (const char* text :
       {"", "none", "x1", "$", "-", ".", "1/0", "\\frac{1}{0}", "inf", "nan", "٤٢", "\xff\xfe"})
    EXPECT_EQ(number(text), "none") << text;
  EXPECT_EQ(number(std::string(101, '1')), "none");
  EXPECT_EQ(number(std::string(100, '0') + "7"), "none");
  EXPECT_EQ(number(std::string(1 << 20, '9')), "none");
}

double reward(const std::string& completion, const std::string& gold = "1,234") {
  const Example e{.answer = gold};
  return *gsm8k_reward({&e, completion});
}

TEST(Gsm8kReward, ComparesNumbersNotTexts) {
  for (const char* text : {"1234", "1,234", "$1,234.00", "\\boxed{1{,}234}", "#### 1234",
                           "The answer is 1,234.", "so 1234.0 dollars"})
    EXPECT_EQ(reward(text), 1.0) << text;
  for (const char* text : {"", "1235", "1,2345", "-1234", "1234.01", "12.34", "no"})
    EXPECT_EQ(reward(text), 0.0) << text;
  EXPECT_EQ(reward("-7", "-7"), 1.0) << "a negative gold can be reached";
  EXPECT_EQ(reward("7", "-7"), 0.0);
  EXPECT_EQ(reward("72.5", "72.50"), 1.0);
  EXPECT_EQ(reward("0.75", "3/4"), 1.0);
  EXPECT_EQ(reward("50", "50%"), 1.0);
  EXPECT_THROW(reward("1", "none"), Error);
}

TEST(Gsm8kReward, LooksForTheAnswerWhereItShouldBe) {
  EXPECT_EQ(reward("7 <answer>5 \\boxed{1234} dozen of 12</answer> 8", "1234"), 1.0);
  EXPECT_EQ(reward("\\boxed{7} <answer>1234 is it</answer> 8"), 1.0);
  EXPECT_EQ(reward("<answer>9</answer><answer>1234</answer>"), 1.0);
  EXPECT_EQ(reward("in <answer> tags: <answer>1234</answer>"), 1.0);
  EXPECT_EQ(reward("\\boxed{1} \\boxed{1234} in 5 days. #### 6"), 1.0);
  EXPECT_EQ(reward("<answer>unknown</answer> \\boxed{1234}"), 1.0);
  EXPECT_EQ(reward("#### 7\n#### 1234\n in 5 days. The answer is 6"), 1.0);
  EXPECT_EQ(reward("The answer is 7. No: The answer is 1234 of 5"), 1.0);
  EXPECT_EQ(reward("The answer is 1234"), 1.0) << "the released one reads 123";
  EXPECT_EQ(reward("We get 5 * 3 = 15, so 1234"), 1.0);
  EXPECT_EQ(reward("\\boxed{1234"), 1.0) << "the last number of all";
  EXPECT_EQ(reward("<answer>1234</answer> or 5"), 1.0);
}

TEST(BoxedAnswer, IsTheLastBalancedOne) {
  EXPECT_EQ(boxed_answer("\\boxed{1} \\boxed{ \\text{a}{b} } c"), "\\text{a}{b}");
  EXPECT_EQ(boxed_answer("\\boxed{1} \\boxed{2"), "1");
  EXPECT_EQ(boxed_answer("\\boxed{1 \\boxed{2}"), "2");
  EXPECT_EQ(boxed_answer("\\boxed{1 \\boxed{2}}"), "2");
  EXPECT_EQ(boxed_answer("\\boxed{1 \\boxed{2"), std::nullopt);
  EXPECT_EQ(boxed_answer("\\boxed 5"), std::nullopt);
  std::string open;
  for (int i = 0; i < 150000; ++i) open += "\\boxed{";
  EXPECT_EQ(boxed_answer(open), std::nullopt);
  EXPECT_EQ(boxed_answer("\\boxed{7}" + open), "7");
}

TEST(XmlFormat, IsBothPairsOfTagsAndNothingElse) {
  const auto format = [](const std::string& completion) {
    const Example e;
    return *xml_format_reward({&e, completion});
  };
  for (const char* good : {"<reasoning>\na\nb\n</reasoning>\n<answer>\n72\n</answer>\n",
                           "<reasoning>a</reasoning><answer>7</answer>",
                           " \n<reasoning></reasoning>\t\n <answer></answer>\n\n"})
    EXPECT_EQ(format(good), 1.0) << good;
  for (const char* bad :
       {"", "72", "<answer>72</answer>", "<reasoning>a</reasoning>",
        "x<reasoning>a</reasoning><answer>7</answer>",
        "<reasoning>a</reasoning>x<answer>7</answer>",
        "<reasoning>a</reasoning><answer>7</answer>x", "<answer>7</answer><reasoning>a</reasoning>",
        "<reasoning>a<answer>7</answer></reasoning>",
        "<reasoning>a</reasoning><answer>7</answer><answer>8</answer>",
        "<reasoning>the <answer> is</reasoning><answer>7</answer>",
        "<reasoning>a</reasoning><answer>7"})
    EXPECT_EQ(format(bad), 0.0) << bad;
}

TEST(Gsm8kReleased, KeepsItsFaults) {
  const Example comma{.answer = "1,234"}, negative{.answer = "-7"};
  EXPECT_EQ(gsm8k_boxed_released({&comma, "#### 1234"}), 0.0);
  EXPECT_EQ(gsm8k_boxed_extracted("The answer is 42"), "4");
  EXPECT_EQ(gsm8k_gold_released("#### -7"), std::nullopt);
  EXPECT_FALSE(
      gsm8k_eval_released({.example = &negative, .completion = "", .generation = "\\boxed{-7}"})
          .correct);
}

}  // namespace
}  // namespace gdsd
