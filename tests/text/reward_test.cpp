#include "gdsd/reward/reward.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <functional>
#include <stdexcept>
#include <thread>

#include "gdsd/base/check.h"
#include "gdsd/reward/countdown.h"
#include "gdsd/reward/judge.h"
#include "gdsd/reward/sudoku.h"
#include "tests/error_of.h"

namespace gdsd {
namespace {

const Example kSudoku{.problem =
                          "0030"
                          "0400"
                          "0143"
                          "4021",
                      .answer =
                          "1234"
                          "3412"
                          "2143"
                          "4321",
                      .source = "sudoku/test"};
const Example kCountdown{.problem = "03,07,12=16", .answer = "12+7-3", .source = "countdown/test"};

TEST(SudokuReward, IsTheFractionOfBlanksRight) {
  const auto reward = [](const std::string& completion) {
    return *sudoku_reward({&kSudoku, completion}) * 8;  // blanks
  };
  EXPECT_EQ(reward(kSudoku.answer), 8);
  EXPECT_EQ(reward("1234"
                   "1423"
                   "2143"
                   "4321"),
            5);  // the lazy annotator
  EXPECT_EQ(reward("1244"
                   "3113"
                   "2000"
                   "0300"),
            7)
      << "given cells do not count";
  EXPECT_EQ(reward(""), 0);
  EXPECT_EQ(reward("1234"), 3);
  EXPECT_EQ(reward(kSudoku.answer + "junk"), 8);
  EXPECT_EQ(reward(" " + kSudoku.answer), 1) << "cells are places, not an order";
  EXPECT_EQ(reward(kSudoku.prompt), 0);
  EXPECT_EQ(reward(std::string(100000, '1')), 2);
}

TEST(SudokuReward, DoesNotApplyWithoutBlanks) {
  const Example full{.problem = kSudoku.answer, .answer = kSudoku.answer, .source = ""};
  EXPECT_FALSE(sudoku_reward({&full, kSudoku.answer}));
  EXPECT_THROW(sudoku_reward({&kCountdown, ""}), Error);
}

TEST(CountdownReward, IsOneForTheTargetAndATenthForTrying) {
  const auto reward = [](const std::string& completion) {
    return *countdown_reward({&kCountdown, completion});
  };
  for (const char* right : {"12+7-3", "7+12-3", "12-(3-7)", "-3+7+12", "((12))+7-3"})
    EXPECT_EQ(reward(right), 1.0) << right;
  for (const char* wrong :
       {"12+7+3", "16", "12+4", "12+7-3+0", "12+7-3-3+3", "12+7-3=16", "12+7-03", "012+7-3",
        "12+7-", "1+2+7-3", "127-3", "12++7--3-0", "7*12/3", "12+7-3)", "=", " "})
    EXPECT_EQ(reward(wrong), 0.1) << wrong;
  EXPECT_EQ(reward(""), 0.0);
}

TEST(CountdownReward, IsExact) {
  const Example thirds{.problem = "01,03,03=01", .answer = "", .source = ""};
  EXPECT_EQ(countdown_reward({&thirds, "1/3*3"}), 1.0);
  const Example near{.problem = "10,03,03=01", .answer = "", .source = ""};
  EXPECT_EQ(countdown_reward({&near, "10/3/3"}), 0.1);
  EXPECT_EQ(countdown_reward({&thirds, "1*3/3"}), 1.0);
  EXPECT_EQ(countdown_reward({&thirds, "1*3"}), 0.1);
  EXPECT_THROW(countdown_reward({&kSudoku, ""}), Error);
}

TEST(Rewards, JudgeAgreesWithTheReward) {
  const TaskOptions sudoku = SudokuOptions{}, countdown = CountdownOptions{};
  const auto verdict = [](const TaskOptions& task, const Attempt& attempt) {
    const Verdict v = Judge(task).verdict(attempt);
    return concat(v.solved, " ", v.right, "/", v.asked);
  };
  EXPECT_EQ(verdict(sudoku, {&kSudoku, kSudoku.answer}), "1 8/8");
  EXPECT_EQ(verdict(sudoku, {&kSudoku, "1234"}), "0 3/8");
  EXPECT_EQ(verdict(countdown, {&kCountdown, "12-3+7"}), "1 1/1");
  EXPECT_EQ(verdict(countdown, {&kCountdown, "12-3-7"}), "0 0/1");
}

TEST(Rewards, RightDemonstrationsAreSolvedOnly) {
  for (const TaskOptions& task : {TaskOptions(SudokuOptions{}), TaskOptions(CountdownOptions{})}) {
    const auto problems = problems_of(task);
    std::vector<Example> examples;
    for (uint64_t i = 0; i < 200; ++i)
      examples.push_back(problems->draw(Split::kHeldOut, Key{1}.fork("rewards_test", i)));
    const Judge judge(task);
    std::vector<Attempt> attempts;
    for (const Example& e : examples) {
      attempts.push_back({&e, problems->demonstration(e, Key{2})});
      EXPECT_TRUE(judge.verdict(attempts.back()).solved) << e.prompt;
    }
    const std::vector<WeightedReward>& rewards = judge.rewards();
    ASSERT_EQ(rewards.size(), 1u);
    const std::string name = std::visit([](const auto& o) { return std::string(o.kName); }, task);
    EXPECT_EQ(score(attempts, rewards).mean, (std::map<std::string, double>{{name, 1.0}}));
  }
}

/// Attempts "0", "1", … at examples with sources "e0", "e1", ….
struct Numbered {
  explicit Numbered(int n) : examples(n) {
    for (int i = 0; i < n; ++i) {
      examples[i].source = concat("e", i);
      attempts.push_back({&examples[i], std::to_string(i)});
    }
  }
  std::vector<Example> examples;
  std::vector<Attempt> attempts;
};

double number(const Attempt& attempt) { return std::stod(attempt.completion); }

TEST(Score, AddsWeightedRewardsWhateverTheThreads) {
  const Numbered n(100);
  const std::vector<WeightedReward> rewards{{"number", 2.0, number},
                                            {"one", 0.5, [](const Attempt&) { return 1.0; }}};
  for (int threads : {-1, 0, 1, 2, 7, 200}) {
    const Scores s = score(n.attempts, rewards, threads);
    for (int i = 0; i < 100; ++i) EXPECT_EQ(s.total[i], 2.0 * i + 0.5);
    EXPECT_EQ(s.mean, (std::map<std::string, double>{{"number", 49.5}, {"one", 1.0}}));
  }
  EXPECT_TRUE(score({}, rewards, 4).total.empty());
  EXPECT_EQ(score(n.attempts, {}).total, std::vector<double>(100));
}

TEST(Score, MissingIsNotZero) {
  const Numbered n(4);
  const std::vector<WeightedReward> rewards{
      {"odd", 1.0,
       [](const Attempt& a) {
         const double x = number(a);
         return std::fmod(x, 2) == 1 ? std::optional(x) : std::nullopt;
       }},
      {"never", 1.0, [](const Attempt&) { return std::nullopt; }}};
  const Scores s = score(n.attempts, rewards);
  EXPECT_EQ(s.total, (std::vector<double>{0, 1, 0, 3}));
  EXPECT_EQ(s.mean, (std::map<std::string, double>{{"odd", 2.0}}));  // and no "never"
}

std::string error_with(const Reward& reward, int threads) {
  const Numbered n(100);
  return error_of([&] {
    score(n.attempts, std::vector<WeightedReward>{{"ok", 1, number}, {"bad", 1, reward}}, threads);
  });
}

TEST(Score, ErrorsNameTheExampleAndTheReward) {
  for (int threads : {0, 1, 4}) {
    EXPECT_EQ(error_with([](const Attempt&) -> double { throw 1; }, threads),
              "[score] e0: reward 'bad' threw something that is not a std::exception.");
    EXPECT_EQ(error_with([](const Attempt& a) { return number(a) == 5 ? NAN : 0; }, threads),
              "[score] e5: reward 'bad' is nan, expected a finite number.");
    EXPECT_EQ(error_with([](const Attempt& a) { return number(a) == 6 ? -INFINITY : 0; }, threads),
              "[score] e6: reward 'bad' is -inf, expected a finite number.");
  }
}

TEST(Score, TheFirstErrorIsReportedWhicheverHappensFirst) {
  using namespace std::chrono_literals;
  for (int threads : {1, 4}) {
    for (const bool first_is_late : {false, true}) {
      const Reward reward = [=](const Attempt& a) {
        const double i = number(a);
        const bool late = first_is_late ? i == 17 : i > 17;
        std::this_thread::sleep_for(late ? 3ms : 1ms);
        if (i >= 17) throw std::runtime_error("oh " + a.completion);
        return 0.0;
      };
      for (int repeat = 0; repeat < 3; ++repeat)
        EXPECT_EQ(error_with(reward, threads), "[score] e17: reward 'bad' threw: oh 17");
    }
  }
}

TEST(Score, RewardsNeedNamesOfTheirOwn) {
  EXPECT_EQ(error_of([] {
              score({}, std::vector<WeightedReward>{{"a", 1, number}, {"a", 2, number}});
            }),
            "[score] two rewards are called 'a', expected a name each: it is their metric.");
}

}  // namespace
}  // namespace gdsd
