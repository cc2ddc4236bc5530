// The part of Python's grammar that digits and operators reach:
//   sum = term {(+|-) term}, term = factor {(*|/|//) factor}, factor = {+|-} power,
//   power = atom ["**" factor], atom = number | "(" [sum] ")".
#include "gdsd/reward/python_expression.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <string>

#include "gdsd/text/python_text.h"

namespace gdsd {
namespace {

constexpr std::string_view kDigits = "0123456789";

class Parser {
 public:
  using Value = std::optional<PythonValue>;

  explicit Parser(std::string_view text) : text_(text) { next(); }

  Value parse() {
    Value value = sum();
    return token_.empty() && at_ == text_.size() ? value : std::nullopt;
  }

 private:
  static constexpr int kDeepest = 200;  // parentheses, as in Python

  /// Moves on to the next token: an operator, a parenthesis or a number; empty for the end and for
  /// what is no token.
  void next() {
    const std::string_view spaces = depth_ > 0 ? " \t\f\n\r" : " \t\f";  // a line ends a statement
    at_ = std::min(text_.find_first_not_of(spaces, at_), text_.size());
    const std::string_view rest = text_.substr(at_);
    const std::string_view two = rest.substr(0, 2), one = rest.substr(0, 1);
    size_t length = 0;
    if (two == "**" || two == "//") {
      length = 2;
    } else if (!one.empty() && one.find_first_of("+-*/()") == 0) {
      length = 1;
    } else {
      length = std::min(rest.find_first_not_of(kDigits), rest.size());
      if (length < rest.size() && rest[length] == '.')
        length = std::min(rest.find_first_not_of(kDigits, length + 1), rest.size());
      if (length == 1 && one == ".") length = 0;
    }
    token_ = rest.substr(0, length);
    at_ += length;
  }

  bool is(std::string_view a, std::string_view b, std::string_view c = "") const {
    return !token_.empty() && (token_ == a || token_ == b || token_ == c);
  }

  Value sum() {
    Value left = term();
    while (left && is("+", "-")) {
      const std::string_view operation = token_;
      next();
      const Value right = term();
      left = right ? python_apply(operation, *left, *right) : std::nullopt;
    }
    return left;
  }

  Value term() {
    Value left = factor();
    while (left && is("*", "/", "//")) {
      const std::string_view operation = token_;
      next();
      const Value right = factor();
      left = right ? python_apply(operation, *left, *right) : std::nullopt;
    }
    return left;
  }

  Value factor() {
    size_t signs = 0, minuses = 0;
    for (; is("+", "-"); next(), ++signs) minuses += token_ == "-";
    Value value = power();
    if (value && signs > 0 && std::holds_alternative<EmptyTuple>(*value)) return std::nullopt;
    return value && minuses % 2 ? python_negate(*value) : value;
  }

  Value power() {
    Value base = token_ == "(" ? parenthesis() : number();
    if (!base || token_ != "**") return base;
    next();
    const Value exponent = factor();
    return exponent ? python_apply("**", *base, *exponent) : std::nullopt;
  }

  Value parenthesis() {
    if (++depth_ > kDeepest) return std::nullopt;
    next();
    Value value = token_ == ")" ? EmptyTuple{} : sum();
    if (!value || token_ != ")") return std::nullopt;
    --depth_;
    next();
    return value;
  }

  Value number() {
    constexpr size_t kMostDigits = 4300;  // sys.int_info.default_max_str_digits
    const std::string_view literal = token_;
    if (literal.empty() || literal.find_first_of(".0123456789") != 0) return std::nullopt;
    next();
    if (literal.find('.') != std::string_view::npos) return python_float(literal);
    const std::string_view digits =
        literal.substr(std::min(literal.find_first_not_of('0'), literal.size()));
    if (digits.empty()) return Integer(0);  // so many zeros as one likes
    if (digits.size() < literal.size() || digits.size() > kMostDigits) return std::nullopt;
    return Integer(std::string(digits));
  }

  std::string_view text_;
  size_t at_ = 0;
  std::string_view token_;
  int depth_ = 0;
};

}  // namespace

std::optional<PythonValue> python_eval(std::string_view text) {
  if (text.size() > kLongestPythonExpression) return std::nullopt;
  return Parser(python_strip(text)).parse();
}

}  // namespace gdsd
