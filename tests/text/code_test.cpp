// Rewards of code: what is taken for the program, and the reference solutions of two data sets.
#include "gdsd/reward/code.h"

#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <thread>

#include "gdsd/base/check.h"
#include "gdsd/data/prepare.h"
#include "tests/error_of.h"
#include "tests/text/sandbox_here.h"

namespace gdsd {
namespace {

using Tests = std::vector<std::string>;
using Kind = Outcome::Kind;

class Code : public testing::Test {
 protected:
  static void SetUpTestSuite() { sandbox = sandbox_here({}, why_not); }
  static void TearDownTestSuite() { sandbox.reset(); }
  void SetUp() override {
    if (!sandbox) GTEST_SKIP() << why_not;
  }

  static std::optional<double> score(const Reward& reward, const std::string& completion,
                                     const Tests& tests = {"assert f(1) == 2",
                                                           "assert f(2) == 4"}) {
    Example example;
    example.tests = tests;
    return reward({&example, completion});
  }

  static inline std::shared_ptr<Sandbox> sandbox;
  static inline std::string why_not;
};

TEST(Fences, AreFoundWhereverTheyStand) {
  EXPECT_TRUE(fences("no fence, ``two`` ticks, ```one line```").empty());
  const std::string text = "a\n```python\nx = 1\n```\nb\n``` c++ \ny```z\n```py\nopen";
  const auto all = fences(text);
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[0].language, "python");
  EXPECT_EQ(all[0].body, "x = 1\n");
  EXPECT_EQ(all[1].language, "c++");
  EXPECT_EQ(all[1].body, "y");
  EXPECT_TRUE(all[1].closed);
  EXPECT_EQ(all[2].body, "open");
  EXPECT_FALSE(all[2].closed);
}

TEST_F(Code, TheProgramIsTheLastPythonBlockOrTheLastOrTheWhole) {
  const auto program = [&](std::string_view text) { return program_of(*sandbox, text); };
  EXPECT_EQ(program("```python\na\n```\n```py\nb\n```\n```\nc\n```"), "b\n");
  EXPECT_EQ(program("```\na\n```\n```text\nc\n"), "c\n");
  EXPECT_EQ(program("x = 1\n"), "x = 1\n");
  EXPECT_EQ(program("The answer is x = 1"), std::nullopt);
  EXPECT_EQ(program(""), std::nullopt);
  EXPECT_EQ(program("# nothing"), std::nullopt);
}

TEST_F(Code, RewardIsTheFractionOfTestsThatPass) {
  const Reward reward = code_reward(sandbox);
  EXPECT_EQ(score(reward, "So:\n```python\ndef f(x): return 2 * x\n```\nDone."), 1);
  EXPECT_EQ(score(reward, "```python\ndef f(x): return x + 1\n"), 0.5);
  EXPECT_EQ(score(reward, "def f(x): return 0"), 0);
  EXPECT_EQ(score(reward, "I do not know."), 0);
  EXPECT_EQ(score(reward, "def f(x): return 2 * x", {}), std::nullopt);
  EXPECT_NE(error_of([&] { judge_code(*sandbox, "x = 1", Example{}); }), "no error");
}

TEST_F(Code, FormatAsksForOneClosedPythonBlockAtTheEnd) {
  const Reward format = code_format(sandbox);
  EXPECT_EQ(score(format, "Text.\n```python\nx = 1\n```\n\n"), 1);
  EXPECT_EQ(score(format, "```python\nx = = 1\n```"), 0.5);
  for (const char* text : {"x = 1", "```python\nx = 1\n", "```python\nx = 1\n```\nmore",
                           "```python\nx = 1\n```\n```python\ny = 1\n```", "```\nx = 1\n```",
                           "```python\nx = 1\n```\nmore ```", "```python\nx = 1\n``` ```",
                           "```python\n\n```", "```python\n# nothing\n```"})
    EXPECT_EQ(score(format, text), 0) << text;
}

TEST_F(Code, ReleasedRewardBelievesTheProgram) {
  const std::string cheat =
      "```python\nclass A:\n    def __eq__(self, other): return True\ndef f(x): return A()\n```";
  EXPECT_EQ(score(code_released(sandbox), cheat), 1);
  EXPECT_EQ(score(code_reward(sandbox), cheat), 0);
  EXPECT_EQ(score(code_released(sandbox), "```python\nimport os\ndef f(x): return 2 * x\n```"), 0);
  EXPECT_EQ(score(code_released(sandbox), "```python\nwhile True: pass\n```", {"assert True"}), 0);
}

TEST_F(Code, AProgramGoesAfterItsContextAndIsTestedWithTheTestsOwn) {
  const Example example{.tests = {"def half(x): return x / 2\nassert half(double(3)) == 3"},
                        .context = "from typing import List\ndef half(x): return x / 2\n"};
  const auto judged = [&](const std::string& code) {
    return judge_code(*sandbox, "```python\n" + code + "```", example).kind;
  };
  EXPECT_EQ(judged("def double(x: List): return x + half(2 * x)\n"), Kind::kPassed);
  EXPECT_EQ(judged("def double(x): return 1\ndef half(x): return 3\n"), Kind::kFailed);
  const Example unended{.tests = {"assert double(2) == 4"}, .context = "import math"};
  EXPECT_EQ(judge_code(*sandbox, "def double(x): return math.prod([2, x])", unended).kind,
            Kind::kPassed);
  EXPECT_EQ(code_released(sandbox)({&unended, "```python\ndef double(x): return 2 * x\n```"}), 1);
}

TEST_F(Code, RewardsTakeAnyBytes) {
  const std::string odd[] = {std::string("\0\xff```", 5),
                             "```python\n\xff\xfe\n```",
                             "```python\n",
                             "```python\n" + std::string(1 << 20, '(') + "\n```",
                             std::string(1 << 20, '`'),
                             "\xed\xa0\x80"};
  for (const std::string& text : odd) {
    const double format = text.ends_with("\n```") ? 0.5 : 0;  // a block with a syntax error
    EXPECT_EQ(score(code_reward(sandbox), text), 0) << text.substr(0, 20);
    EXPECT_EQ(score(code_released(sandbox), text), 0) << text.substr(0, 20);
    EXPECT_EQ(score(code_format(sandbox), text), format) << text.substr(0, 20);
    EXPECT_EQ(score(code_format_released(sandbox), text), format) << text.substr(0, 20);
  }
}

struct Solved {
  Example example;
  std::string wrong;
};

std::vector<Solved> solved_problems(const std::filesystem::path& data) {
  std::vector<Solved> all;
  for (const char* file : {"humaneval/HumanEval.jsonl", "mbpp/sanitized-mbpp.json"})
    for (const Example& example : read_examples(CodeOptions{}, data / file))
      // Every function of it, and nothing right.
      all.push_back({example, example.answer +
                                  "\nfor _name, _value in list(globals().items()):\n"
                                  "    if type(_value) is type(lambda: 0):\n"
                                  "        globals()[_name] = lambda *a, **k: None\n"});
  return all;
}

TEST_F(Code, ReferenceSolutionsPassAndWrongOnesDoNot) {
  const std::filesystem::path data = std::filesystem::path(GDSD_DATA_FOLDER) / "data";
  if (!std::filesystem::exists(data / "humaneval")) GTEST_SKIP() << "no data in " << data;
  const auto problems = solved_problems(data);
  ASSERT_EQ(problems.size(), 164U + 427U);
  std::atomic<size_t> next = 0, right = 0, fooled = 0;
  std::vector<std::thread> threads;
  std::vector<std::string> surprises(problems.size());
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (size_t i; (i = next++) < problems.size();) {
        const Example& e = problems[i].example;
        const auto fenced = [](const std::string& code) { return "```python\n" + code + "\n```"; };
        const Outcome good = judge_code(*sandbox, fenced(e.answer), e);
        const Outcome bad = judge_code(*sandbox, fenced(problems[i].wrong), e);
        right += good.kind == Kind::kPassed ? 1 : 0;
        fooled += bad.kind == Kind::kPassed ? 1 : 0;
        if (good.kind != Kind::kPassed) surprises[i] = e.source + ": " + good.message;
        if (bad.kind == Kind::kPassed) surprises[i] = e.source + " passes when wrong";
      }
    });
  for (std::thread& thread : threads) thread.join();
  for (const std::string& surprise : surprises)
    if (!surprise.empty()) ADD_FAILURE() << surprise;
  EXPECT_EQ(right, 591U);
  EXPECT_EQ(fooled, 0U);
}

}  // namespace
}  // namespace gdsd
