// Countdown as the released code scores it, with Python's arithmetic.
#include <algorithm>

#include "gdsd/data/countdown_puzzle.h"
#include "gdsd/reward/countdown.h"
#include "gdsd/reward/math_text.h"
#include "gdsd/reward/python_expression.h"
#include "gdsd/text/answer.h"
#include "gdsd/text/python_text.h"
#include "gdsd/text/utf8.h"

namespace gdsd {
namespace {

/// Calls use(character) for every one; bytes that are none are U+FFFD.
template <class F>
void for_each_character(std::string_view text, F&& use) {
  for (size_t at = 0; at < text.size();) {
    const Utf8Step step = utf8_step(text, at);
    use(step.valid ? utf8_code(text.substr(at, step.length)) : U'\uFFFD');
    at += step.length;
  }
}

/// Every \d+ of the text; -1 for one of more digits than a puzzle's numbers can have.
std::vector<int64_t> numbers_in(std::string_view text) {
  constexpr int64_t kMost = 1'000'000'000'000'000'000;
  std::vector<int64_t> numbers;
  bool inside = false;
  for_each_character(text, [&](char32_t c) {
    const std::optional<int> digit = decimal_digit(c);
    if (digit) {
      if (!inside) numbers.push_back(0);
      int64_t& n = numbers.back();
      n = n < 0 || n >= kMost / 10 ? -1 : 10 * n + *digit;
    }
    inside = digit.has_value();
  });
  return numbers;
}

/// Whether all of it is \d, \s or of "+-*/().".
bool is_arithmetic(std::string_view text) {
  bool ok = true;
  for_each_character(text, [&](char32_t c) {
    constexpr std::u32string_view kSigns = U"+-*/().";
    ok = ok && (decimal_digit(c) || is_python_space(c) || kSigns.find(c) != kSigns.npos);
  });
  return ok;
}

enum class Outcome { kOtherNumbers, kNotArithmetic, kNear, kFar, kRaises };

/// The numbers are compared before the expression is looked at.
Outcome outcome(std::string_view equation, CountdownPuzzle puzzle) {
  std::vector<int64_t> used = numbers_in(equation);
  std::sort(used.begin(), used.end());
  std::sort(puzzle.numbers.begin(), puzzle.numbers.end());
  if (used != puzzle.numbers) return Outcome::kOtherNumbers;
  if (!is_arithmetic(equation)) return Outcome::kNotArithmetic;
  const std::optional<PythonValue> value = python_eval(equation);
  if (!value) return Outcome::kNotArithmetic;
  const std::optional<double> distance = python_distance(*value, puzzle.target);
  if (!distance) return Outcome::kRaises;
  return *distance < 1e-5 ? Outcome::kNear : Outcome::kFar;
}

/// What the first "expression=number" has before its sign, or nullopt.
std::optional<std::string_view> before_equals(std::string_view text) {
  constexpr std::string_view kExpression = "0123456789+-*/() ", kNumber = "0123456789. ";
  for (size_t at = 0;;) {
    const size_t begin = text.find_first_of(kExpression, at);
    if (begin == std::string_view::npos) return std::nullopt;
    const size_t end = std::min(text.find_first_not_of(kExpression, begin), text.size());
    const std::string_view after = text.substr(end);
    if (after.size() > 1 && after[0] == '=' && kNumber.find(after[1]) != std::string_view::npos)
      return python_strip(text.substr(begin, end - begin));
    at = end;
  }
}

}  // namespace

std::optional<double> countdown_released(const Attempt& attempt) {
  const CountdownPuzzle puzzle = parse_countdown(attempt.example->problem);
  const auto answer = last_between(attempt.completion, "<answer>", "</answer>");
  if (!answer) return 0.0;
  return outcome(python_strip(*answer), puzzle) == Outcome::kNear ? 1.0 : 0.1;
}

std::optional<ReleasedCountdown> countdown_eval_released(const Attempt& attempt,
                                                         CountdownParser parser) {
  const CountdownPuzzle puzzle = parse_countdown(attempt.example->problem);
  const std::string& text = attempt.generation;
  const auto box = last_boxed(text);
  const bool is_boxed = box && (box->starts_with("\\boxed{") || box->starts_with("\\boxed "));
  std::string equation = box && (is_boxed || parser == CountdownParser::kMathEval)
                             ? remove_boxed(*box)
                             : std::string(first_answer(text).value_or(text));
  for (const auto& [latex, sign] : {std::pair("\\div", "/"), {"\\times", "*"}, {"\\cdot", "*"}})
    equation = replace_all(equation, latex, sign);
  if (const auto left = before_equals(equation)) equation = std::string(*left);
  const Outcome out = outcome(equation, puzzle);
  if (out == Outcome::kRaises) return std::nullopt;
  return ReleasedCountdown{.extracted = equation, .correct = out == Outcome::kNear};
}

}  // namespace gdsd
