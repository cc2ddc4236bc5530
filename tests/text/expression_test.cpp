#include "gdsd/reward/expression.h"

#include <gtest/gtest.h>

#include <string>

#include "gdsd/base/check.h"
#include "gdsd/base/random.h"

namespace gdsd {
namespace {

/// "n/d", or "none".
std::string value(std::string_view text) {
  const std::optional<Expression> e = evaluate(text);
  return e ? concat(numerator(e->value), "/", denominator(e->value)) : "none";
}

TEST(Expression, KnowsPrecedenceSignsAndParentheses) {
  EXPECT_EQ(value("12+7-3"), "16/1");
  EXPECT_EQ(value("2+3*4"), "14/1");
  EXPECT_EQ(value("(2+3)*4"), "20/1");
  EXPECT_EQ(value("8-4-2"), "2/1");
  EXPECT_EQ(value("8/4/2"), "1/1");
  EXPECT_EQ(value("8/(4/2)"), "4/1");
  EXPECT_EQ(value("1/3+1/6"), "1/2");
  EXPECT_EQ(value("-2*-3"), "6/1");
  EXPECT_EQ(value("5--+-3"), "2/1");  // 5 − (−(+(−3)))
  EXPECT_EQ(value("3/-6"), "-1/2");
  EXPECT_EQ(value("0/-6"), "0/1");
  EXPECT_EQ(value(" 1 + ( 2 ) "), "3/1");
  EXPECT_EQ(evaluate("3+-3*(2/10)")->literals, (std::vector<Integer>{3, 3, 2, 10}));
}

TEST(Expression, RefusesWhatIsNotOne) {
  using namespace std::string_literals;
  for (const std::string& text :
       {""s,       " "s,    "+"s,    "()"s,    "(1"s,      "1)"s, "1+"s,  "*1"s,   "1 2"s,
        "(1)(2)"s, "2(3)"s, "2**3"s, "2* *3"s, "7//2"s,    "07"s, "00"s,  "1+01"s, "1.5"s,
        "1e3"s,    "0x10"s, "1,2"s,  "1=1"s,   "1%2"s,     "a"s,  "1_0"s, "1\n"s,  "1\0"s,
        "1\0+2"s,  "\0"s,   "\xff"s, "1/0"s,   "1/(2-2)"s, "0/0"s})
    EXPECT_EQ(value(text), "none") << text;
  EXPECT_EQ(value("0"), "0/1");
}

TEST(Expression, UnderstandsTypographicalSigns) {
  EXPECT_EQ(value("6×7÷2−1"), "20/1");
  EXPECT_EQ(value(" −3 × −3 "), "9/1");
  EXPECT_EQ(value("2×*3"), "none");
  EXPECT_EQ(value("7÷÷2"), "none");
  EXPECT_EQ(value("7/÷2"), "none");
  EXPECT_EQ(value("2\xc3"), "none");
}

TEST(Expression, NumbersAreNotLimitedTo64Bits) {
  EXPECT_EQ(value("9223372036854775808"), "9223372036854775808/1");
  EXPECT_EQ(value("-9223372036854775807-1"), "-9223372036854775808/1");
  EXPECT_EQ(value("9223372036854775807*9223372036854775807"),
            "85070591730234615847396907784232501249/1");
  EXPECT_EQ(value("1/9223372036854775807/2"), "1/18446744073709551614");
  EXPECT_EQ(value("9223372036854775807*(1/9223372036854775807)"), "1/1");
  EXPECT_EQ(value("1/9223372036854775807-1/9223372036854775806"),
            "-1/85070591730234615838173535747377725442");
}

TEST(Expression, ATooLargeNumberIsNoValueRatherThanAWrongOne) {
  const std::string largest = Integer((Integer(1) << kLargestNumber) - 1).str();
  EXPECT_EQ(value(largest), largest + "/1");
  EXPECT_EQ(value("0-" + largest), "-" + largest + "/1");
  EXPECT_EQ(value("1/" + largest), "1/" + largest);
  EXPECT_EQ(value(largest + "+1"), "none");
  EXPECT_EQ(value("1/2/" + largest), "none");
  EXPECT_EQ(value(Integer(Integer(1) << kLargestNumber).str()), "none");
  EXPECT_EQ(value(std::string(100000, '9')), "none");
  EXPECT_EQ(value(std::string(10000, '9')), "none");
}

TEST(Expression, SurvivesDeepAndLongText) {
  const auto repeated = [](std::string_view part, int n) {
    std::string text;
    for (int i = 0; i < n; ++i) text += part;
    return text;
  };
  constexpr int n = 15000;  // kLongestExpression is 65536 bytes
  for (std::string_view part : {"(", ")", "((1)", "-(", "1+(", "1*(", "(-", "×", "9/7*", "99*"})
    for (int times : {n, 100 * n}) EXPECT_EQ(value(repeated(part, times)), "none") << part;
  EXPECT_EQ(value(repeated("(", n) + "1" + repeated(")", n)), "none");
  EXPECT_EQ(value(repeated("(", 100) + "1" + repeated(")", 100)), "1/1");
  EXPECT_EQ(value(repeated("(", 101) + "1" + repeated(")", 101)), "none");
  EXPECT_EQ(value(repeated("(1)+", n) + "0"), "15000/1");
  EXPECT_EQ(value(repeated("-", n) + "1"), "1/1");
  EXPECT_EQ(value(repeated("1+", n) + "1"), "15001/1");
  EXPECT_EQ(value(std::string(kLongestExpression - 1, ' ') + "1"), "1/1");
  EXPECT_EQ(value(std::string(kLongestExpression, ' ') + "1"), "none");
}

/// A random expression, with no more parentheses than it needs or a few, beside its value computed
/// on fractions that are never reduced.
struct Tree {
  std::string text;
  char kind = 'n';  // 'n' a number, 's' a sign before something, else the operator
  std::vector<int64_t> literals;
  bool defined = true;  // no division by zero
  __int128 numerator = 0, denominator = 1;
};

Tree random_tree(Key key, int depth) {
  Tree t;
  const uint64_t choice = depth == 0 ? 0 : below(key, 0, 12);
  if (choice < 2) {
    const auto literal = static_cast<int64_t>(below(key, 1, 13));
    t.text = std::to_string(literal);
    t.literals = {literal};
    t.numerator = literal;
    return t;
  }
  const auto printed = [&](const Tree& child, bool needed) {
    const bool always = needed || below(key, 2 + child.text.size(), 4) == 0;
    return always ? "(" + child.text + ")" : child.text;
  };
  const Tree a = random_tree(key.fork("left"), depth - 1);
  if (choice == 2) {
    t = a;
    t.kind = 's';
    t.text = "-" + printed(a, a.kind != 'n' && a.kind != 's');
    t.numerator = -a.numerator;
    return t;
  }
  const Tree b = random_tree(key.fork("right"), depth - 1);
  t.kind = "+-*/"[choice % 4];
  const bool product = t.kind == '*' || t.kind == '/';
  const auto is_sum = [](const Tree& child) { return child.kind == '+' || child.kind == '-'; };
  const auto is_product = [](const Tree& child) { return child.kind == '*' || child.kind == '/'; };
  t.text = printed(a, product && is_sum(a)) + t.kind +
           printed(b, is_sum(b) || (product && is_product(b)));
  t.literals = a.literals;
  t.literals.insert(t.literals.end(), b.literals.begin(), b.literals.end());
  t.defined = a.defined && b.defined && !(t.kind == '/' && b.numerator == 0);
  t.denominator = a.denominator * (t.kind == '/' ? b.numerator : b.denominator);
  switch (t.kind) {
    case '*': t.numerator = a.numerator * b.numerator; break;
    case '/': t.numerator = a.numerator * b.denominator; break;
    case '+': t.numerator = a.numerator * b.denominator + b.numerator * a.denominator; break;
    default: t.numerator = a.numerator * b.denominator - b.numerator * a.denominator;
  }
  return t;
}

TEST(Expression, AgreesWithDirectEvaluationOfRandomTrees) {
  int defined = 0, undefined = 0;
  for (uint64_t i = 0; i < 20000; ++i) {
    const Tree t = random_tree(Key{3}.fork("tree", i), 3);  // at most 8 numbers: 13^8 fits
    const std::optional<Expression> e = evaluate(t.text);
    ASSERT_EQ(e.has_value(), t.defined) << t.text;
    ++(t.defined ? defined : undefined);
    if (!e) continue;
    const Integer p = numerator(e->value), q = denominator(e->value);
    EXPECT_TRUE(p * t.denominator == q * t.numerator) << t.text;
    EXPECT_GT(q, 0);
    EXPECT_EQ(gcd(p, q), 1) << t.text;
    EXPECT_EQ(e->literals, std::vector<Integer>(t.literals.begin(), t.literals.end())) << t.text;
  }
  EXPECT_GT(defined, 15000);
  EXPECT_GT(undefined, 100);
}

TEST(Expression, ParenthesesAroundItAllChangeNothing) {
  constexpr std::string_view kCharacters = "0123456789+-*/(),= ()()";
  int valid = 0;
  for (uint64_t i = 0; i < 100000; ++i) {  // most of it is nonsense, which must not crash either
    std::string text;
    for (uint64_t c = 0; c <= i % 12; ++c)
      text += kCharacters[below(Key{5}.fork("text", i), c, kCharacters.size())];
    if (!evaluate(text)) continue;
    ++valid;
    EXPECT_EQ(value("(" + text + ")"), value(text)) << text;
  }
  EXPECT_GT(valid, 1000);
}

}  // namespace
}  // namespace gdsd
