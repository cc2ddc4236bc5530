#include "gdsd/data/countdown.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <set>
#include <tuple>
#include <vector>

#include "gdsd/base/random.h"
#include "gdsd/reward/expression.h"

namespace gdsd {
namespace {

using Numbers = std::vector<int64_t>;
using Pair = std::pair<Numbers, int64_t>;

Key key(uint64_t i) { return Key{7}.fork("countdown_test", i); }

Pair pair_of(const std::string& prompt) {
  auto [numbers, target] = parse_countdown(prompt);
  std::sort(numbers.begin(), numbers.end());
  return {numbers, target};
}

/// The pairs that 30 000 draws find: each of 1074 is missed with a chance of 1e-12.
std::set<Pair> pairs(Split split) {
  const Countdown countdown({});
  std::set<Pair> all;
  for (uint64_t i = 0; i < 30000; ++i) all.insert(pair_of(countdown.draw(split, key(i)).prompt));
  return all;
}

/// Every ordered triple with every choice of signs, by the definition.
std::set<Pair> reachable() {
  std::set<Pair> all;
  for (int64_t code = 0; code < 12 * 12 * 12 * 4; ++code) {
    Numbers n{code % 12 + 1, code / 12 % 12 + 1, code / 144 % 12 + 1};
    const int64_t signs = code / 1728;
    const int64_t target = n[0] + (signs & 1 ? n[1] : -n[1]) + (signs & 2 ? n[2] : -n[2]);
    std::sort(n.begin(), n.end());
    if (target >= 1 && target <= 99) all.insert({n, target});
  }
  return all;
}

TEST(Countdown, SplitsPartitionThe1264ReachablePairs) {
  const std::set<Pair> train = pairs(Split::kTrain), held_out = pairs(Split::kHeldOut);
  EXPECT_EQ(train.size(), 1074u);
  EXPECT_EQ(held_out.size(), 190u);
  std::set<Pair> both = train;
  both.insert(held_out.begin(), held_out.end());
  EXPECT_EQ(both.size(), 1264u);
  EXPECT_EQ(both, reachable());
}

TEST(Countdown, AllOrdersOfTheNumbersAreDrawnAlike) {
  const Countdown countdown({});
  std::map<std::array<int, 3>, int> seen;
  int n = 0;
  for (uint64_t i = 0; i < 12000; ++i) {
    const auto [numbers, target] = parse_countdown(countdown.draw(Split::kTrain, key(i)).prompt);
    const auto [a, b, c] = std::tuple(numbers[0], numbers[1], numbers[2]);
    if (a == b || b == c || a == c) continue;
    ++n;
    ++seen[{a < b, b < c, a < c}];
  }
  EXPECT_EQ(seen.size(), 6u);
  for (const auto& [order, count] : seen) EXPECT_NEAR(count, n / 6.0, 5 * std::sqrt(n * 5 / 36.0));
}

TEST(Countdown, PromptsAndSourcesLookAsDocumented) {
  const Countdown countdown({});
  for (uint64_t i = 0; i < 100; ++i) {
    const Example e = countdown.draw(Split::kHeldOut, key(i));
    EXPECT_EQ(e.prompt.size(), 11u);
    EXPECT_EQ(e.source, "countdown/held_out");
  }
}

TEST(CountdownPuzzle, IsNumbersAndATarget) {
  const auto parsed = [](std::string_view text) {
    const CountdownPuzzle puzzle = parse_countdown(text);
    return Pair{puzzle.numbers, puzzle.target};
  };
  EXPECT_EQ(parsed("03,07,12=16"), (Pair{{3, 7, 12}, 16}));
  EXPECT_EQ(parsed("75,0,2700,8=6"), (Pair{{75, 0, 2700, 8}, 6}));
  EXPECT_EQ(parsed("5=005"), (Pair{{5}, 5}));
  EXPECT_EQ(parsed("15,78,62=-1"), (Pair{{15, 78, 62}, -1}));
  EXPECT_EQ(parsed("999999999999999999=0"), (Pair{{999999999999999999}, 0}));
  for (const char* bad : {"",
                          "=",
                          "3",
                          "3,7",
                          "=16",
                          "3,7,12",
                          "3,7,12=",
                          "3,7,12=1=1",
                          "3,7,12=1,1",
                          "3,,7=1",
                          ",3=1",
                          "3,=1",
                          "3, 7=1",
                          "3,7=1 ",
                          "3,7=1\n",
                          "3,7,1x=16",
                          "3;7,12=16",
                          "3,7,12+16",
                          "-3,7=4",
                          "3,7=--4",
                          "3,7=-",
                          "1000000000000000000=1",
                          "1=1000000000000000000"})
    EXPECT_THROW(parse_countdown(bad), Error) << bad;
}

TEST(Countdown, AnswersAreTheFirstByLengthThenPlusThenLargerNumbers) {
  // Of every way to write it: 6 orders, 4 choices of signs.
  const auto best = [](const std::string& prompt) {
    auto [n, target] = parse_countdown(prompt);
    std::sort(n.begin(), n.end());
    std::set<std::tuple<size_t, std::string, Numbers, std::string>> all;
    do {
      for (const std::string signs : {"++", "+-", "-+", "--"}) {
        const std::string text = concat(n[0], signs[0], n[1], signs[1], n[2]);
        if (evaluate(text)->value == target)
          all.insert({text.size(), signs, {-n[0], -n[1], -n[2]}, text});
      }
    } while (std::next_permutation(n.begin(), n.end()));
    return std::get<3>(*all.begin());
  };
  const Countdown countdown({});
  for (uint64_t i = 0; i < 3000; ++i) {
    const Example e = countdown.draw(i % 2 ? Split::kTrain : Split::kHeldOut, key(i));
    EXPECT_EQ(e.answer, best(e.prompt)) << e.prompt;
    EXPECT_EQ(countdown.demonstration(e, key(i)), e.answer);
    EXPECT_TRUE(e.answer.size() >= 5 && e.answer.size() <= 8) << e.answer;
  }
  EXPECT_EQ(best("03,07,12=16"), "12+7-3");
  EXPECT_EQ(best("03,12,07=02"), "12-7-3");
}

TEST(Countdown, WrongDemonstrationsKeepTheGivenOrder) {
  const Countdown countdown({.right = 0});
  const Example e{.problem = "03,12,07=02", .answer = "12-7-3", .source = "test"};
  std::map<std::string, int> seen;
  for (uint64_t i = 0; i < 4000; ++i) ++seen[countdown.demonstration(e, key(i))];
  EXPECT_EQ(seen.size(), 4u);
  for (const char* text : {"3+12+7", "3+12-7", "3-12+7", "3-12-7"})
    EXPECT_NEAR(seen[text], 1000, 137) << text;  // 5 standard deviations
}

TEST(Countdown, RightIsTheChanceOfARightDemonstration) {
  const Countdown countdown({.right = 0.4});
  const Example e{.problem = "03,12,07=02", .answer = "12-7-3", .source = "test"};
  int right = 0;
  for (uint64_t i = 0; i < 4000; ++i) right += countdown.demonstration(e, key(i)) == e.answer;
  EXPECT_NEAR(right, 1600, 155);  // 5 standard deviations
}

TEST(Countdown, DrawsAreFunctionsOfTheKey) {
  const Countdown a({.right = 0.5}), b({.right = 0.5});
  std::set<std::string> prompts;
  for (uint64_t i = 100; i-- > 0;) {
    const Example e = a.draw(Split::kTrain, key(i)), f = b.draw(Split::kTrain, key(i));
    EXPECT_EQ(e.prompt, f.prompt);
    EXPECT_EQ(a.demonstration(e, key(i)), b.demonstration(f, key(i)));
    prompts.insert(e.prompt);
  }
  EXPECT_GT(prompts.size(), 80u);
}

TEST(Countdown, DrawsStayTheSameAcrossReleases) {  // the splits and data of published runs
  const Countdown countdown({});
  EXPECT_EQ(countdown.draw(Split::kTrain, Key{1}).prompt, "05,05,07=17");
  EXPECT_EQ(countdown.draw(Split::kHeldOut, Key{1}).prompt, "06,05,06=17");
}

TEST(Countdown, TheDemonstrationIsIndependentOfADrawFromTheSameKey) {
  const Countdown countdown({.right = 0.5});
  std::set<Pair> wrong;  // the pairs whose demonstration was once wrong
  for (uint64_t i = 0; i < 20000; ++i) {
    const Example e = countdown.draw(Split::kTrain, key(i));
    if (countdown.demonstration(e, key(i)) != e.answer) wrong.insert(pair_of(e.prompt));
  }
  EXPECT_GT(wrong.size(), 1000u);  // of 1074
}

TEST(Countdown, OptionsOutOfRangeAreErrors) {
  EXPECT_THROW(Countdown({.right = 1.01}), FieldError);
  EXPECT_THROW(Countdown({.right = -0.01}), FieldError);
}

}  // namespace
}  // namespace gdsd
