#include <gtest/gtest.h>

#include "gdsd/reward/math.h"
#include "gdsd/reward/math_answer.h"
#include "gdsd/reward/math_text.h"
#include "tests/golden_rewards/rewards.h"

namespace gdsd::golden {
namespace {

/// {"value": …} as the text, or null; "raises" as nullopt.
std::optional<std::string> value_of(const json& outcome) {
  if (!outcome.contains("value") || outcome.at("value").is_null()) return std::nullopt;
  return outcome.at("value").get<std::string>();
}

void check_string_equiv(const json& line) {
  const std::string a = line.at("a"), b = line.at("b");
  EXPECT_EQ(string_equivalent(a, b), line.at("score") == 1);
  EXPECT_EQ(string_equivalent(a, b, StringRule::kEvaluation), line.at("score_eval") == 1);
  EXPECT_EQ(rewritten(a, StringRule::kTraining), value_of(line.at("strip_a")));
  EXPECT_EQ(rewritten(b, StringRule::kTraining), value_of(line.at("strip_b")));
  EXPECT_EQ(rewritten(a, StringRule::kEvaluation), value_of(line.at("strip_a_eval")));
  EXPECT_EQ(rewritten(b, StringRule::kEvaluation), value_of(line.at("strip_b_eval")));
}

void check_extraction(const json& line) {
  const auto box = last_boxed(line.at("text").get<std::string>());
  EXPECT_EQ(box, value_of(line.at("last_boxed")));
  const auto content = box ? std::optional(remove_boxed(*box)) : std::nullopt;
  EXPECT_EQ(content, value_of(line.at("remove_boxed")));
  EXPECT_EQ(content, value_of(line.at("math_eval_remove_boxed")));
  const json& strict = line.at("eval_remove_boxed");
  if (strict.contains("value"))
    EXPECT_EQ(content, value_of(strict));
  else
    EXPECT_TRUE(!box || content == box) << "raised where there was nothing to remove";
}

Example example_of(const std::string& answer) { return {.answer = answer}; }

void check_xml(const json& line) {
  const Example example = example_of(line.at("solution"));
  const Attempt attempt{.example = &example, .completion = line.at("completion")};
  const bool format = line.at("function") == "boxed_and_answer_tags_format_reward_math";
  if (!format) {
    ASSERT_EQ(line.at("function"), "correctness_reward_func_math_xml");
  }
  EXPECT_EQ(format ? math_format_released(attempt) : math_xml_released(attempt), line.at("score"));
}

void check_eval(const json& line) {
  const Example example = example_of(line.at("answer"));
  const Attempt attempt{.example = &example, .completion = {}, .generation = line.at("generation")};
  const auto [extracted, correct] = math_eval_released(attempt);
  EXPECT_EQ(extracted, line.at("extracted").is_null()
                           ? std::nullopt
                           : std::optional(line.at("extracted").get<std::string>()));
  EXPECT_EQ(correct, line.at("score") == 1);
}

/// math_verify is a library of its own; ours agrees on nearly all of its verdicts.
bool agrees_in_box(const json& line) {
  const Example example = example_of(line.at("solution"));
  return math_boxed_released({.example = &example, .completion = line.at("completion")}) ==
         line.at("score");
}

bool agrees_on_pair(const json& line) {
  return answers_agree(line.at("response").get<std::string>(),
                       line.at("gold").get<std::string>()) == line.at("score").get<bool>();
}

/// Never more generous than both the library and the comparison of texts.
void check_not_generous(const json& line) {
  const std::string a = line.at("response"), b = line.at("gold");
  if (!line.at("score").get<bool>() && !string_equivalent(a, b)) {
    EXPECT_FALSE(answers_agree(a, b)) << a << " and " << b;
  }
}

}  // namespace

std::map<std::string, Check> math_checks() {
  return {{"math_string_equiv", check_string_equiv},
          {"math_boxed_extraction", check_extraction},
          {"math_xml", check_xml},
          {"eval_math", check_eval},
          {"math_verify_pairs", check_not_generous}};
}

std::map<std::string, Agrees> math_rates() {
  return {{"math_boxed", agrees_in_box}, {"math_verify_pairs", agrees_on_pair}};
}

}  // namespace gdsd::golden
