#include <gtest/gtest.h>

#include "gdsd/reward/code.h"
#include "tests/golden_rewards/rewards.h"
#include "tests/text/sandbox_here.h"

namespace gdsd::golden {
namespace {

void check_line(const json& line, Reward (*reward)(std::shared_ptr<Sandbox>)) {
  static std::string why_not;
  static const std::shared_ptr<Sandbox> contained = sandbox_here({}, why_not);
  if (!contained) GTEST_SKIP() << why_not;
  Example example;
  if (line.contains("test_cases"))
    example.tests = line["test_cases"].get<std::vector<std::string>>();
  const Attempt attempt{&example, line.at("completion").get<std::string>()};
  EXPECT_EQ(reward(contained)(attempt), line.at("score").get<double>());
}

}  // namespace

std::map<std::string, Check> code_checks() {
  return {{"code_format", [](const json& line) { check_line(line, code_format_released); }},
          {"code_exec", [](const json& line) { check_line(line, code_released); }}};
}

}  // namespace gdsd::golden
