#include <gtest/gtest.h>

#include <memory>

#include "gdsd/reward/code.h"
#include "tests/golden_rewards/rewards.h"

namespace gdsd::golden {
namespace {

/// One for all lines; null where this machine can contain no process.
std::shared_ptr<Sandbox> sandbox(std::string& why_not) {
  static std::string reason;
  static const std::shared_ptr<Sandbox> one = []() -> std::shared_ptr<Sandbox> {
    try {
      return std::make_shared<Sandbox>();
    } catch (const Error& e) {
      reason = e.what();
      return nullptr;
    }
  }();
  why_not = reason;
  return one;
}

void check_line(const json& line, Reward (*reward)(std::shared_ptr<Sandbox>)) {
  std::string why_not;
  const auto contained = sandbox(why_not);
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
