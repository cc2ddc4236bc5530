#include "gdsd/reward/python_expression.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cmath>

#include "gdsd/base/check.h"

namespace gdsd {
namespace {

/// As Python prints it; "none" where it raises. Checked against CPython 3.11's eval.
std::string shown(std::string_view text) {
  const auto value = python_eval(text);
  if (!value) return "none";
  std::ostringstream out;
  out.precision(17);
  if (const auto* n = std::get_if<Integer>(&*value))
    out << *n;
  else if (const auto* f = std::get_if<double>(&*value))
    out << "float " << *f;
  else if (const auto* z = std::get_if<std::complex<double>>(&*value))
    out << "complex " << z->real() << " " << z->imag();
  else
    out << "()";
  return out.str();
}

TEST(PythonExpression, KnowsPythonsOperators) {
  EXPECT_EQ(shown("2+3*4-1"), "13");
  EXPECT_EQ(shown("7//2"), "3");
  EXPECT_EQ(shown("-7//2"), "-4");
  EXPECT_EQ(shown("7//-2"), "-4");
  EXPECT_EQ(shown("2**3**2"), "512");
  EXPECT_EQ(shown("-2**2"), "-4");
  EXPECT_EQ(shown("2**-1"), "float 0.5");
  EXPECT_EQ(shown("2**+-+1"), "float 0.5");
  EXPECT_EQ(shown("6/3"), "float 2");
  EXPECT_EQ(shown("1/3"), "float 0.33333333333333331");
  EXPECT_EQ(shown("0/-6"), "float -0");
  EXPECT_EQ(shown("--3-+-3"), "6");
  EXPECT_EQ(shown("7.5//2"), "float 3");
  EXPECT_EQ(shown("-7.5//2"), "float -4");
  EXPECT_EQ(shown("()+()"), "()");
  EXPECT_EQ(shown("3*()*2"), "()");
  EXPECT_EQ(shown("(((5)))"), "5");
}

TEST(PythonExpression, KnowsPythonsNumbers) {
  EXPECT_EQ(shown("3."), "float 3");
  EXPECT_EQ(shown(".5+.25"), "float 0.75");
  EXPECT_EQ(shown("0.1+0.2"), "float 0.30000000000000004");
  EXPECT_EQ(shown("00"), "0");
  EXPECT_EQ(shown("007.5"), "float 7.5");
  EXPECT_EQ(shown("9223372036854775807+1"), "9223372036854775808");
  EXPECT_EQ(shown("12345678901234567890123//10000000000000000000000"), "1");
  EXPECT_EQ(shown("9007199254740993/1"), "float 9007199254740992") << "half to even";
  EXPECT_EQ(shown("10**400/10**399"), "float 10") << "though neither is a float";
  for (const char* none : {"07", "1+01", "1 2", "1..2", "1.2.3", "...", ".", "1_0", "1e3", "0x1",
                           "3j", "١", "3×4", ""})
    EXPECT_EQ(shown(none), "none") << none;
}

TEST(PythonExpression, SpacesMayStandBetweenTokensAndLinesInParentheses) {
  EXPECT_EQ(shown(" \t\n3 +\t4\f\n"), "7");
  EXPECT_EQ(shown("(3\n+\r\n4)"), "7");
  EXPECT_EQ(shown("3\n+4"), "none");
  EXPECT_EQ(shown("(3)\n+4"), "none");
  EXPECT_EQ(shown("3* *4"), "none");
  EXPECT_EQ(shown("3\v+4"), "none");
  EXPECT_EQ(shown("3\u00a0+4"), "none");
  EXPECT_EQ(shown("\u00a03+4\u3000"), "7") << "stripped";
}

TEST(PythonExpression, HasNoValueWherePythonRaises) {
  for (const char* none :
       {"1/0",       "1//0",      "1.//0",  "0**-1", "0.**-1", "1/(2-2)",    "3(4)",
        "(3)(4)",    "()+1",      "-()",    "()**2", "()*1.5", "2***3",      "2///3",
        "*2",        "2+",        "(2",     "2)",    "(2))",   "10**400*1.", "10.**400",
        "10**400/1", "()*10**30", "3.//0.", "1=1",   "1,2",    "3%2",        "1\xff"})
    EXPECT_EQ(shown(none), "none") << none;
}

TEST(PythonExpression, RootsOfNegativeNumbersAreComplex) {
  EXPECT_EQ(shown("(-4)**.5"), "complex 1.2246467991473532e-16 2");
  EXPECT_LT(*python_distance(*python_eval("((-4)**(1/2))**2"), -4), 1e-5);
  EXPECT_GT(*python_distance(*python_eval("(-4)**.5"), 2), 1);
  EXPECT_EQ(shown("(-4)**.5//1"), "none");
}

TEST(PythonExpression, DistanceIsAsPythonsAbs) {
  EXPECT_EQ(*python_distance(*python_eval("3-10"), -4), 3);
  EXPECT_EQ(*python_distance(*python_eval("2.5"), 3), 0.5);
  EXPECT_TRUE(std::isinf(*python_distance(*python_eval("10**400"), 1)));
  EXPECT_EQ(python_distance(EmptyTuple{}, 1), std::nullopt) << "() - 1 raises";
}

TEST(PythonExpression, HostileTextsEndSoon) {
  const auto begin = std::chrono::steady_clock::now();
  const auto repeated = [](std::string_view part) {
    std::string text;
    while (text.size() + part.size() < kLongestPythonExpression) text += part;
    return text;
  };
  EXPECT_EQ(shown("30**100**93"), "none");
  EXPECT_EQ(shown("9**9**9**9**9"), "none");
  EXPECT_EQ(shown("0**9**9**9"), "none") << "9**9**9 comes first";
  EXPECT_EQ(shown("(0-1)**387420489"), "-1");
  EXPECT_EQ(shown("2**16383-2**16383"), "0");
  EXPECT_EQ(shown("2**16384"), "none") << "beyond kLargestPythonInteger";
  for (const char* part :
       {"(", "-", "9**", "9**999*", "9**999//7**9+", "((-2)**.5)*", "1/3+", "()+"})
    EXPECT_EQ(shown(repeated(part)), "none") << part;
  EXPECT_EQ(shown(std::string(200, '(') + "1" + std::string(200, ')')), "1");
  EXPECT_EQ(shown(std::string(201, '(') + "1" + std::string(201, ')')), "none");
  EXPECT_EQ(shown(std::string(kLongestPythonExpression, '1')), "none");
  EXPECT_EQ(shown(std::string(kLongestPythonExpression - 1, '0') + "."), "float 0");
  EXPECT_EQ(shown(std::string(kLongestPythonExpression, '0') + "."), "none");
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(20));
}

}  // namespace
}  // namespace gdsd
