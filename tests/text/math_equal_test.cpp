#include "gdsd/reward/math_equal.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <vector>

#include "gdsd/base/file.h"
#include "gdsd/base/json.h"
#include "gdsd/reward/math_value.h"

namespace gdsd {
namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

void expect(bool equal, const Pairs& pairs) {
  for (const auto& [a, b] : pairs) {
    EXPECT_EQ(math_equal(a, b), equal) << a << " and " << b;
    EXPECT_EQ(math_equal(b, a), equal) << b << " and " << a;
  }
}

TEST(MathEqual, KnowsNumbersInEverySpelling) {
  expect(true, {{"\\frac12", "1/2"},
                {"0.5", "\\dfrac{1}{2}"},
                {".5", "\\frac 12"},
                {"1,234,567", "1234567"},
                {"10,\\!080", "10080"},
                {"1\\frac{4}{5}", "9/5"},
                {"-1\\frac12", "-\\frac32"},
                {"137 \\frac{1}{2}", "137.5"},
                {"50\\%", "0.5"},
                {"2^{10}", "1024"},
                {"-\\frac{3}{8}", "\\frac{-3}{8}"},
                {"2.5 \\times 10^3", "2500"},
                {"1/2/3", "1/6"},
                {"3:4", "0.75"},
                {"\\binom{5}{2}", "10"},
                {"5!", "120"},
                {"\\lfloor -2.5\\rfloor", "-3"},
                {"\\$18.90", "18.9"},
                {"90^\\circ", "90"},
                {"5\\text{ cm}^2", "5"},
                {"864 \\mbox{ inches}^2", "864"},
                {"5\\text{ million}", "5000000"},
                {"2.5 \\text{ thousand}", "2500"},
                {"3\\text{ dozen}", "36"},
                {"10\\text{ a.m.}", "10 \\text{ am}"}});
  expect(false, {{"1/2", "1/3"},
                 {"10\\%", "10"},
                 {"1 000", "1000"},
                 {"10\\text{ a.m.}", "10\\text{ p.m.}"},
                 {"10\\text{ AM}", "10"},
                 {"5\\text{ million}", "5"},
                 {"5\\text{ million dollars}", "5"},
                 {"1e3", "1000"},
                 {"16.", "16"},
                 {".60", "60"},
                 {"-6", "6"},
                 {"12", "12\\pi"},
                 {"1,2", "12"},
                 {"1,234", "1,2,3,4"},
                 {"\\frac{a}b", "\\frac{a}{b}"}});
}

TEST(MathEqual, ComparesDecimalsExactlyOrToTheirSixPlaces) {
  expect(true, {{"0.333333", "\\frac13"},
                {"0.6666667", "2/3"},
                {"33.333333\\%", "1/3"},
                {"0.3333333", "0.333333"},
                {"12.345679", "1000/81"}});
  expect(false, {{"0.333", "\\frac13"},
                 {"0.666666", "2/3"},
                 {"3.14159265", "\\pi"},
                 {"0.0000001", "0"},
                 {"0.000000", "0.0000001"},
                 {"0.000001", "5/10000000"},
                 {"0.000667", "1/1500"},
                 {"1.414214", "\\sqrt2"}});
}

TEST(MathEqual, SimplifiesRadicals) {
  expect(true, {{"\\sqrt8", "2\\sqrt2"},
                {"\\frac{1}{\\sqrt2}", "\\frac{\\sqrt2}{2}"},
                {"\\sqrt{2}^2", "2"},
                {"\\frac{1}{1+\\sqrt2}", "\\sqrt2-1"},
                {"\\sqrt2\\cdot\\sqrt3", "\\sqrt6"},
                {"\\sqrt[3]{16}", "2\\sqrt[3]{2}"},
                {"\\sqrt[3]{-8}", "-2"},
                {"\\sqrt{-4}", "2i"},
                {"5^{1/2}", "\\sqrt5"},
                {"\\sqrt{3+2\\sqrt2}", "1+\\sqrt2"},
                {"\\sqrt{x^2}", "|x|"},
                {"|3-4i|", "5"},
                {"|\\sqrt{1+\\sqrt2}|", "\\sqrt{1+\\sqrt2}"},
                {"|\\sqrt{x}|", "\\sqrt x"}});
  expect(false, {{"\\sqrt{x^2}", "x"},
                 {"\\sqrt{(1-\\sqrt2)^2}", "1-\\sqrt2"},
                 {"\\sqrt[3]{(1-\\sqrt2)^2}^{1/2}", "\\sqrt[3]{1-\\sqrt2}"},
                 {"\\sqrt2", "\\sqrt3"},
                 {"|\\sqrt{\\sqrt2-8}|", "\\sqrt{\\sqrt2-8}"},
                 {"|1+\\sqrt{\\sqrt2-8}|", "\\sqrt{(1+\\sqrt{\\sqrt2-8})^2}"},
                 {"\\sqrt{\\cos 2}\\sqrt{\\cos 3}", "\\sqrt{\\cos 2 \\cdot \\cos 3}"},
                 {"\\sqrt{-1}\\cdot\\sqrt{-1}", "1"}});
}

TEST(MathEqual, ExpandsPolynomialsAndQuotients) {
  expect(true, {{"(x+1)^2", "x^2+2x+1"},
                {"(a+5)(b+2)", "ab+2a+5b+10"},
                {"\\frac{x^2-1}{x-1}", "x+1"},
                {"1/2x", "\\frac{1}{2x}"},
                {"a^{-1}", "1/a"},
                {"2^{n+1}", "2\\cdot 2^n"},
                {"4^n", "2^{2n}"},
                {"x_1+x_{2}", "x_2+x_{1}"},
                {"\\frac{11+9a}{20}", "\\frac{9}{20}a+\\frac{11}{20}"}});
  expect(false,
         {{"x", "X"}, {"x^2", "x^3"}, {"(x+1)^2", "x^2+1"}, {"x_1", "x_2"}, {"1/2x", "x/2"}});
}

TEST(MathEqual, KnowsConstantsAndFunctions) {
  expect(true, {{"i^2", "-1"},
                {"(1+i)^2", "2i"},
                {"\\log_2 8", "3"},
                {"\\log 100", "2"},
                {"\\ln 8", "3\\ln 2"},
                {"e^{\\ln 2}", "2"},
                {"\\sin\\frac{\\pi}{6}", "\\frac12"},
                {"\\cos\\frac{2\\pi}{3}", "-1/2"},
                {"\\sin^2 x+\\cos^2 x", "1"},
                {"\\cot x", "\\frac{1}{\\tan x}"},
                {"\\frac{20000}{\\pi}", "20000\\pi^{-1}"}});
  expect(false, {{"\\pi", "3.14"},
                 {"\\sin x", "\\sin y"},
                 {"e^x", "e^y"},
                 {"12\\pi", "180^\\circ"},
                 {"\\sin 2x", "2\\sin x"},
                 {"\\infty", "-\\infty"},
                 {"\\infty-\\infty", "0"}});
}

TEST(MathEqual, KnowsListsTuplesIntervalsAndMatrices) {
  expect(true,
         {{"1,-2", "-2,1"},
          {"\\{1,2\\}", "2, 1"},
          {"1 \\text{ and } 2", "2,1"},
          {"1\\pm\\sqrt2", "1-\\sqrt2, 1+\\sqrt2"},
          {"\\left(3,\\frac{\\pi}{2}\\right)", "(3,\\pi/2)"},
          {"1,2", "(1,2)"},
          {"x \\in [-2,7]", "[-2,7]"},
          {"(-\\infty,2)\\cup(3,\\infty)", "(3,\\infty)\\cup(-\\infty,2)"},
          {"1 \\le x < 2", "[1,2)"},
          {"x<5", "(-\\infty,5)"},
          {"\\begin{pmatrix}1/2\\\\2\\end{pmatrix}", "\\begin{bmatrix}0.5\\\\2\\end{bmatrix}"},
          {"2\\begin{pmatrix}1&0\\end{pmatrix}", "\\begin{pmatrix}2&0\\end{pmatrix}"},
          {"\\emptyset", "\\{\\}"},
          {"x=1,y=2", "y=2,x=1"},
          {"x=1,y=2", "1,2"},
          {"x=1,y=2", "(1,2)"},
          {"x=1 \\text{ or } x=2", "2,1"},
          {"x=-2,1", "1,-2"}});
  expect(false, {{"(1,2)", "(2,1)"},
                 {"x=1,y=2", "2,1"},
                 {"x=1,y=2", "\\{2,1\\}"},
                 {"x=1,y=1", "1"},
                 {"x=1,y=1", "x=1"},
                 {"[0,1)", "[0,1]"},
                 {"\\{1,2\\}", "\\{1,2,3\\}"},
                 {"\\begin{pmatrix}1\\\\2\\end{pmatrix}", "\\begin{pmatrix}1&2\\end{pmatrix}"},
                 {"\\begin{pmatrix}1\\\\2\\end{pmatrix}", "(1,2)"},
                 {"x<5", "(-\\infty,5]"}});
}

TEST(MathEqual, KnowsEquationsAndInequalities) {
  expect(true, {{"x=5", "5"},
                {"x_1=5", "5"},
                {"\\theta=5", "5"},
                {"area = 5", "5"},
                {"f(x)=2x+1", "2x+1"},
                {"f^{-1}(x) = 2x", "2x"},
                {"g_1'\\left( t \\right)=t", "t"},
                {"a=b=c", "c"},
                {"y=2x+1", "2x+1=y"},
                {"y=2x+3", "2x-y+3=0"},
                {"x+2y=4", "2x+4y=8"},
                {"x<5", "5>x"},
                {"x \\neq 3", "3 \\ne x"},
                {"0<x\\leq 1", "1\\ge x>0"}});
  expect(false, {{"2x=4", "x=2"},        {"x^2=4", "4"},
                 {"\\frac1x=4", "4"},    {"xy=4", "4"},
                 {"x(y)(z)=4", "4"},     {"x_1y(z)=4", "4"},
                 {"\\pi=4", "4"},        {"\\infty=4", "4"},
                 {"|x|=4", "4"},         {"\\cos(x)=4", "4"},
                 {"\\ln x=4", "4"},      {"x\\in y", "x=y"},
                 {"x\\in y", "y\\in x"}, {"[0,1]\\in x", "x\\in[0,1]"},
                 {"5=5", "5"},           {"x=5", "6"},
                 {"x<5", "x>5"},         {"x<5", "x\\le5"},
                 {"x+2y=4", "x+2y=5"},   {"-x<1", "x<1"}});
}

TEST(MathEqual, ComparesTextsAndBases) {
  expect(true, {{"\\text{Evelyn}", "\\textbf{ Evelyn }"},
                {"\\text{(C)}", "C"},
                {"\\text{even}", "even"},
                {"\\text{11}", "11"},
                {"12_{8}", "12_8"},
                {"2516_8", "2516"}});
  expect(false, {{"\\text{Evelyn}", "\\text{Carla}"},
                 {"\\text{(C)}", "D"},
                 {"12_8", "12_9"},
                 {"12_8", "10"}});
}

TEST(MathEqual, NothingEqualsNothing) {
  expect(false, {{"", ""}, {" ", "$$"}, {"\\!", ""}, {"5", ""}});
  expect(true, {{"\\foo{1}", " \\foo{1} "}});
  expect(false, {{"\\foo{1}", "\\foo{2}"}, {"1/0", "2/0"}, {"0^0", "1"}, {"\xff", "\xfe"}});
}

/// The answers of MATH-500; none where the data is not there.
std::vector<std::string> math500() {
  const char* data = std::getenv("GDSD_DATA");
  const auto file =
      std::filesystem::path(data ? data : GDSD_DATA_FOLDER) / "data/math500/test.jsonl";
  std::vector<std::string> answers;
  if (!std::filesystem::exists(file)) return answers;
  const std::string text = read_file(file);
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    answers.push_back(nlohmann::json::parse(text.substr(at, end - at)).at("answer"));
    at = end + 1;
  }
  return answers;
}

TEST(MathEqual, EveryAnswerOfMath500IsItselfAndNoOther) {
  const auto answers = math500();
  if (answers.empty()) GTEST_SKIP() << "no data/math500/test.jsonl in " << GDSD_DATA_FOLDER;
  EXPECT_EQ(answers.size(), 500U);
  for (const std::string& a : answers) {
    EXPECT_TRUE(math_equal(a, a)) << a;
    algebra::Algebra algebra;
    EXPECT_TRUE(algebra::read(algebra::cleaned(a), algebra)) << a << " is not understood";
    EXPECT_FALSE(math_equal(a, "123456789")) << a;
    EXPECT_FALSE(math_equal(a, a + "+1")) << a;
  }
}

}  // namespace
}  // namespace gdsd
