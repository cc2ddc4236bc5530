#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "gdsd/base/random.h"
#include "gdsd/data/arithmetic.h"
#include "gdsd/data/countdown.h"
#include "gdsd/data/task.h"
#include "gdsd/reward/expression.h"
#include "tests/error_of.h"

namespace gdsd {
namespace {

Key key(uint64_t i) { return Key{7}.fork("random_countdown_test", i); }

/// Whether the expression uses each number once and has the target as its exact value.
bool solves(const std::string& text, std::vector<int64_t> numbers, int64_t target) {
  auto e = evaluate(text);
  if (!e || !(e->value == target)) return false;
  return std::is_permutation(e->literals.begin(), e->literals.end(), numbers.begin(),
                             numbers.end());
}

CountdownOptions options_of(int64_t numbers, int64_t most, const char* operators) {
  CountdownOptions o;
  o.numbers = numbers;
  o.number_max = most;
  o.target_max = 999;
  o.operators = operators;
  return o;
}

TEST(RandomCountdown, EveryAnswerReachesTheTarget) {
  for (const char* operators : {"+-*/", "+-", "*", "+/", "+"})
    for (int64_t n = 2; n <= 6; ++n) {
      const int64_t most = operators[0] == '*' ? 12 : 100;
      const RandomCountdown countdown(options_of(n, most, operators));
      for (uint64_t i = 0; i < 200; ++i) {
        const Example e = countdown.draw(i % 2 ? Split::kTrain : Split::kHeldOut, key(i));
        const CountdownPuzzle puzzle = parse_countdown(e.problem);
        ASSERT_EQ(std::ssize(puzzle.numbers), n);
        for (int64_t number : puzzle.numbers) EXPECT_TRUE(number >= 1 && number <= most);
        EXPECT_TRUE(puzzle.target >= 1 && puzzle.target <= 999);
        EXPECT_TRUE(solves(e.answer, puzzle.numbers, puzzle.target)) << e.problem << e.answer;
        EXPECT_EQ(e.answer.find_first_not_of(concat("0123456789()", operators)), std::string::npos);
        EXPECT_EQ(e.prompt.size(), 4u * static_cast<size_t>(n) + 3);
        EXPECT_EQ(countdown.demonstration(e, key(i)), e.answer);
      }
    }
}

TEST(RandomCountdown, SplitsNeverShareAPair) {
  const RandomCountdown countdown(options_of(3, 10, "+-*/"));
  std::set<std::string> train, held_out;
  for (uint64_t i = 0; i < 5000; ++i) {
    const Example e = countdown.draw(Split::kTrain, key(i));
    train.insert(countdown_pair(parse_countdown(e.problem)));
    held_out.insert(
        countdown_pair(parse_countdown(countdown.draw(Split::kHeldOut, key(i)).problem)));
  }
  for (const std::string& pair : held_out) EXPECT_FALSE(train.contains(pair)) << pair;
  EXPECT_EQ(countdown_pair(parse_countdown("10,03,7=5")), "3,7,10=5");
  int out = 0;
  for (const std::string& pair : train) out += is_held_out(parse_countdown(pair));
  EXPECT_EQ(out, 0);
  for (int64_t t = 1; t <= 1000; ++t) out += is_held_out({{1, 2, 3}, t});
  EXPECT_NEAR(out, 150, 57);  // 5 standard deviations
}

TEST(RandomCountdown, DefaultsAreTheEnumeratedPuzzles) {
  const auto problems = problems_of(CountdownOptions{});
  const Countdown small({});
  for (uint64_t i = 0; i < 50; ++i)
    EXPECT_EQ(problems->draw(Split::kTrain, key(i)).prompt,
              small.draw(Split::kTrain, key(i)).prompt);
  EXPECT_TRUE(CountdownOptions{}.is_small());
  EXPECT_FALSE(options_of(3, 12, "+-").is_small()) << "another range of targets";
}

TEST(RandomCountdown, DrawsStayTheSameAcrossReleases) {
  const RandomCountdown countdown(options_of(4, 100, "+-*/"));
  const Example e = countdown.draw(Split::kTrain, Key{1}.fork("x", 1));
  EXPECT_EQ(e.prompt, "001,047,004,020=063");
  EXPECT_EQ(e.answer, "(20-4)*1+47");
}

TEST(RandomCountdown, ImpossibleRangesAreErrors) {
  CountdownOptions o = options_of(2, 2, "+");
  o.target_min = o.target_max = 999;
  const RandomCountdown countdown(o);
  EXPECT_NE(error_of([&] { countdown.draw(Split::kTrain, key(0)); }).find("Widen the ranges"),
            std::string::npos);
}

TEST(RandomCountdown, OptionsOutOfRangeAreErrors) {
  for (auto change : std::initializer_list<void (*)(CountdownOptions&)>{
           [](auto& o) { o.numbers = 1; }, [](auto& o) { o.numbers = 7; },
           [](auto& o) { o.number_min = 13; }, [](auto& o) { o.number_max = 1000; },
           [](auto& o) { o.number_min = 0; }, [](auto& o) { o.target_max = 10000; },
           [](auto& o) { o.target_min = 100; }, [](auto& o) { o.operators = ""; },
           [](auto& o) { o.operators = "++"; }, [](auto& o) { o.operators = "^"; }}) {
    CountdownOptions o;
    change(o);
    EXPECT_THROW(RandomCountdown{o}, FieldError);
  }
}

TEST(Arithmetic, WritesNoMoreParenthesesThanNeeded) {
  const Term a = number_term(8), b = number_term(4), c = number_term(2);
  const auto text = [](const Term& x, char p, const Term& y, char q, const Term& z) {
    return std::pair(combine(*combine(x, p, y), q, z)->text,
                     combine(x, p, *combine(y, q, z))->text);
  };
  using Both = std::pair<std::string, std::string>;  // (8 p 4) q 2 and 8 p (4 q 2)
  EXPECT_EQ(text(a, '+', b, '-', c), Both("8+4-2", "8+4-2"));
  EXPECT_EQ(text(a, '-', b, '-', c), Both("8-4-2", "8-(4-2)"));
  EXPECT_EQ(text(a, '+', b, '*', c), Both("(8+4)*2", "8+4*2"));
  EXPECT_EQ(text(a, '*', b, '+', c), Both("8*4+2", "8*(4+2)"));
  EXPECT_EQ(text(a, '/', b, '*', c), Both("8/4*2", "8/(4*2)"));
  EXPECT_EQ(text(a, '*', b, '/', c), Both("8*4/2", "8*4/2"));
  EXPECT_EQ(text(a, '-', b, '/', c), Both("(8-4)/2", "8-4/2"));
}

TEST(Arithmetic, IsExactOrNothing) {
  const Term third = *combine(number_term(2), '/', number_term(6));
  EXPECT_EQ(third.num, 1);
  EXPECT_EQ(third.den, 3);
  const Term minus = *combine(number_term(0), '-', number_term(3));
  const Term quotient = *combine(number_term(6), '/', minus);
  EXPECT_EQ(quotient.num, -2);
  EXPECT_EQ(quotient.den, 1);
  EXPECT_FALSE(combine(number_term(1), '/', number_term(0)));
  EXPECT_FALSE(combine(number_term(int64_t{1} << 62), '*', number_term(2)));
  EXPECT_FALSE(combine(number_term(INT64_MAX), '+', number_term(1)));
  EXPECT_FALSE(combine(number_term(INT64_MIN), '-', number_term(0)));
}

TEST(Arithmetic, SolvesWhatCanBeSolved) {
  const auto solved = [](std::vector<int64_t> n, int64_t target) {
    const auto found = solve_countdown(n, target);
    EXPECT_TRUE(!found || solves(*found, n, target)) << found.value_or("");
    return found.has_value();
  };
  EXPECT_TRUE(solved({3, 3, 8, 8}, 24)) << "8/(3-8/3)";
  EXPECT_TRUE(solved({5}, 5));
  EXPECT_FALSE(solved({5}, 4));
  EXPECT_FALSE(solved({1, 1, 1}, 7));
  EXPECT_FALSE(solved({0, 0}, 1));
  EXPECT_TRUE(solved({1, 3, 7, 10, 25, 50}, 765));
  EXPECT_NE(error_of([&] { solved({}, 1); }), "no error");
  EXPECT_NE(error_of([&] { solved({1, 2, 3, 4, 5, 6, 7}, 1); }), "no error");
  for (uint64_t i = 0; i < 100; ++i) {  // what is made by construction is found
    const Example e = RandomCountdown(options_of(4, 100, "+-*/")).draw(Split::kTrain, key(i));
    const CountdownPuzzle puzzle = parse_countdown(e.problem);
    EXPECT_TRUE(solved(puzzle.numbers, puzzle.target)) << e.problem;
  }
}

}  // namespace
}  // namespace gdsd
