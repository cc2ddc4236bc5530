// Grade-school arithmetic.
#include <gtest/gtest.h>

#include <cmath>

#include "gdsd/reward/gsm8k.h"
#include "tests/golden_rewards/rewards.h"

namespace gdsd::golden {
namespace {

void check_boxed(const json& line) {
  const Example example{.answer = line.at("answer")};
  const std::string completion = line.at("completion");
  EXPECT_EQ(gsm8k_boxed_extracted(completion), line.at("extracted").get<std::string>());
  EXPECT_EQ(gsm8k_boxed_released({&example, completion}), line.at("score").get<double>());
}

void check_xml(const json& line) {
  static const std::map<std::string, std::optional<double> (*)(const Attempt&)> functions{
      {"xmlcount_reward_func", gsm8k_xml_count_released},
      {"soft_format_reward_func", gsm8k_xml_soft_format_released},
      {"strict_format_reward_func", gsm8k_xml_strict_format_released},
      {"int_reward_func", gsm8k_xml_int_released},
      {"correctness_reward_func", gsm8k_xml_correctness_released}};
  const Example example{.answer = line.at("answer")};
  const auto function = functions.at(line.at("function"));
  const auto score = function({&example, line.at("completion").get<std::string>()});
  ASSERT_TRUE(score);
  EXPECT_NEAR(*score, line.at("score").get<double>(),
              function == gsm8k_xml_count_released ? 1e-9 : 0);
}

/// As the fixtures write a float that may be none or not finite.
json written(std::optional<double> number) {
  if (!number) return nullptr;
  if (std::isnan(*number)) return "nan";
  if (std::isinf(*number)) return *number > 0 ? "inf" : "-inf";
  return *number;
}

void check_eval(const json& line) {
  const std::string solution = line.at("gold_solution_text");
  EXPECT_EQ(written(gsm8k_gold_released(solution)), line.at("gold"));
  const Example example{.answer = extract_hash_answer(solution).value_or("")};
  const auto [extracted, correct] = gsm8k_eval_released(
      {.example = &example, .completion = "", .generation = line.at("generation")});
  EXPECT_EQ(written(extracted), line.at("extracted"));
  EXPECT_EQ(correct, line.at("score") == 1);
}

void check_gold_extraction(const json& line) {
  const std::string text = line.at("text");
  if (line.at("function") == "extract_hash_answer") {
    const auto answer = extract_hash_answer(text);
    EXPECT_EQ(answer ? json(*answer) : json(nullptr), line.at("score"));
  } else {
    EXPECT_EQ(line.at("function"), "math_eval.extract_answer_gsm8k");
    EXPECT_EQ(written(gsm8k_gold_released(text)), line.at("score"));
  }
}

}  // namespace

std::map<std::string, Check> gsm8k_checks() {
  return {{"gsm8k_boxed", check_boxed},
          {"gsm8k_xml", check_xml},
          {"eval_gsm8k", check_eval},
          {"gsm8k_gold_extraction", check_gold_extraction}};
}

}  // namespace gdsd::golden
