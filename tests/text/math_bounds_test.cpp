// What bounds the time that two answers can take.
#include <gtest/gtest.h>

#include <ctime>
#include <vector>

#include "gdsd/reward/math_equal.h"
#include "gdsd/reward/math_value.h"

namespace gdsd {
namespace {

/// `unit` again and again, `bytes` of it.
std::string times(const std::string& unit, size_t bytes) {
  std::string s;
  while (s.size() < bytes) s += unit;
  return s;
}

/// head + … + head + middle + tail + … + tail, `depth` deep.
std::string nested(const std::string& head, const std::string& middle, const std::string& tail,
                   int depth) {
  std::string s = middle;
  for (int i = 0; i < depth; ++i) s = head + s + tail;
  return s;
}

TEST(MathBounds, EveryPairTakesLittleTime) {
  const std::string digits(900, '9'), long_name = "\\cos(" + digits + times("+x", 600) + ")";
  std::vector<std::string> hostile{"2^{1000000000}",
                                   "9^{9^{9^9}}",
                                   "(x+y+z+w)^{100}",
                                   "200!!",
                                   "(a+b+c+d+e)^{50}",
                                   "(1+\\sqrt2+\\sqrt3+\\sqrt5+\\sqrt7+\\sqrt{11})^{100}",
                                   "x^{y^{z^{w}}}",
                                   "\\sqrt{" + digits + "}",
                                   "\\log_2 " + std::string(900, '7'),
                                   "\\binom{5}{1000000000}",
                                   "\\binom{300}{10^{300}}",
                                   "\\binom{x}{\\binom{5}{99999999999}}",
                                   "(" + long_name + "+x+y)^{20}",
                                   "(" + nested("\\cos(1+", "x", ")", 20) + "+x+y)^{20}",
                                   "(x_{" + std::string(3800, 'a') + "}+x+y)^{20}",
                                   nested("{\\pm", "1", "}", 20)};
  const std::pair<const char*, const char*> functions[] = {
      {"\\tan(", ")"},      {"\\sin(", ")"},
      {"\\cos(", ")"},      {"\\cot(1+", ")"},
      {"\\sqrt{1+", "}"},   {"\\ln(1+", ")"},
      {"|1+", "|"},         {"x^{1+", "}"},
      {"\\arctan(x+", ")"}, {"\\lfloor x+", "\\rfloor "}};
  for (const auto& [open, close] : functions)
    for (int depth : {5, 8, 12, 20, 29}) hostile.push_back(nested(open, "x+y+z", close, depth));
  for (int depth : {3, 6, 9}) {
    hostile.push_back(nested("\\{\\pm " + digits.substr(0, 400) + ",", "1", "\\}", depth));
    hostile.push_back(
        nested("\\{\\pm ", digits.substr(0, 900) + times("+" + digits, 2700), "\\}", 3 * depth));
  }
  for (int levels : {6, 10, 14})  // each \pm reads what is in it twice
    hostile.push_back(nested("\\{\\pm1<", digits + times("+" + digits, 2700), "\\}", levels));
  for (const char* unit : {"(", "{", "\\{", "|", "-", "\\sqrt", "\\frac{", "2^", "!", "1,", "\\pm1",
                           "\\{\\pm", "(x+1)", "\\text{", "\\begin{pmatrix}", "\\tan ", "\xff"})
    for (size_t bytes : {100, 1000, 4000, 1 << 20}) hostile.push_back(times(unit, bytes));
  hostile.push_back(std::string(1000, '\0'));
  for (const std::string& a : hostile) {
    const std::clock_t begin = std::clock();
    EXPECT_FALSE(math_equal(a, "123456")) << a.substr(0, 60);
    EXPECT_FALSE(math_equal(a, a + "+1")) << a.substr(0, 60);
    EXPECT_LT(static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC, 3) << a.substr(0, 60);
  }
}

/// What reading a text takes of the budget, at most `most`.
size_t cost(const std::string& text, size_t most) {
  for (size_t rest = 0; rest <= most; rest += 10) {
    algebra::Algebra algebra;
    EXPECT_TRUE(algebra::read(text, algebra)) << text.substr(0, 60);
    try {
      algebra.spend(60000 - rest);
      return rest;
    } catch (const algebra::NoValue&) {
      continue;  // less than that is left
    }
  }
  return most;
}

TEST(MathBounds, LongNumbersAndNamesCostMore) {
  const std::string name = "x_{" + std::string(1500, 'a') + "}";
  EXPECT_LT(cost("(x+y)^2", 400), 150U);
  EXPECT_GT(cost("(" + name + "+y)^2", 400), 250U);
  EXPECT_LT(cost("7", 400), 30U);
  EXPECT_GT(cost(std::string(900, '7'), 400), 60U);
  algebra::Algebra algebra;
  EXPECT_FALSE(algebra::read("\\cos x_{" + std::string(2100, 'a') + "}", algebra));
}

}  // namespace
}  // namespace gdsd
