// Rewards take a time that grows no faster than the text.
#include <gtest/gtest.h>

#include <ctime>

#include "gdsd/reward/countdown.h"
#include "gdsd/reward/gsm8k.h"
#include "gdsd/reward/math.h"
#include "gdsd/reward/sudoku.h"

namespace gdsd {
namespace {

/// Every reward and parser of a text.
void score_all(const std::string& text) {
  static const Example sudoku{.problem = "1200340000000000", .answer = "1234341221434321"};
  static const Example countdown{.problem = "75,27,17=6"}, gsm8k{.answer = "72"},
      math{.answer = "\\boxed{\\frac{1}{2}}"};
  sudoku_reward({&sudoku, text});
  sudoku_released({&sudoku, text});
  sudoku_eval_released({&sudoku, text, text});
  countdown_reward({&countdown, text});
  countdown_released({&countdown, text});
  for (auto parser : {CountdownParser::kEval, CountdownParser::kMathEval})
    countdown_eval_released({&countdown, text, text}, parser);
  for (auto reward :
       {gsm8k_reward, xml_format_reward, gsm8k_boxed_released, gsm8k_xml_count_released,
        gsm8k_xml_soft_format_released, gsm8k_xml_strict_format_released, gsm8k_xml_int_released,
        gsm8k_xml_correctness_released})
    reward({&gsm8k, text});
  gsm8k_eval_released({&gsm8k, text, text});
  gsm8k_gold_released(text);
  for (auto reward : {math_reward, math_boxed_released, math_xml_released, math_format_released})
    reward({&math, text});
  math_eval_released({&math, text, text});
}

TEST(HostileTexts, EndSoon) {
  constexpr size_t kLength = 300000;
  const auto expect_soon = [](const std::string& text) {
    const std::clock_t begin = std::clock();
    score_all(text);
    EXPECT_LT(static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC, 4) << text.substr(0, 60);
  };
  for (const char* part : {"(",
                           "1",
                           "1 ",
                           "<answer>",
                           "<answer></answer>",
                           "<answer>```",
                           "``` 1",
                           "</answer> 1",
                           "1111111111111111 ",
                           "\\boxed{",
                           "\\boxed ",
                           "\\boxed{1\n",
                           "\\frac{1}",
                           "\\frac12",
                           "\\binom{5}{1000000000}",
                           "$\\tan(",
                           "\\text{ and }",
                           "\\sqrt",
                           "\\pm",
                           "$x$ and ",
                           "1=",
                           "1,234",
                           "The answer is ",
                           "#### ",
                           "</reasoning> ",
                           "\n</reasoning>\n<answer>\n",
                           " ",
                           "\u00a0",
                           "-",
                           "9**9",
                           "\xff",
                           "\u0663",
                           "1e",
                           "1/"}) {
    std::string text;
    while (text.size() < kLength) text += part;
    expect_soon(text);
    expect_soon("<answer>" + text + "</answer>");
    expect_soon("<reasoning></reasoning><answer>" + text);
  }
}

}  // namespace
}  // namespace gdsd
