// A recursive-descent parser that evaluates as it reads:
//   sum = product {(+|-) product}, product = factor {(*|/) factor},
//   factor = {+|-} (integer | "(" sum ")").
#include "gdsd/reward/expression.h"

#include <algorithm>
#include <string>
#include <utility>

#include "gdsd/text/python_text.h"

namespace gdsd {
namespace {

/// The value, unless it is too large.
std::optional<Rational> bounded(Rational value) {
  if (bits(numerator(value)) > kLargestNumber || bits(denominator(value)) > kLargestNumber)
    return std::nullopt;
  return value;
}

std::optional<Rational> apply(char operation, const Rational& x, const Rational& y) {
  switch (operation) {
    case '+': return bounded(x + y);
    case '-': return bounded(x - y);
    case '*': return bounded(x * y);
    default: return y == 0 ? std::nullopt : bounded(x / y);  // '/'
  }
}

class Parser {
 public:
  explicit Parser(std::string text) : text_(std::move(text)) {}

  std::optional<Expression> parse() {
    std::optional<Rational> value = sum();
    if (!value || peek() != kEnd || at_ < text_.size()) return std::nullopt;
    return Expression{*std::move(value), std::move(literals_)};
  }

 private:
  static constexpr char kEnd = '\0';

  /// The next character that is not a space; kEnd too for a NUL in the text.
  char peek() {
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
    return at_ < text_.size() ? text_[at_] : kEnd;
  }

  std::optional<Rational> sum() {
    std::optional<Rational> left = product();
    while (left && (peek() == '+' || peek() == '-')) {
      const char operation = text_[at_++];
      const std::optional<Rational> right = product();
      left = right ? apply(operation, *left, *right) : std::nullopt;
    }
    return left;
  }

  std::optional<Rational> product() {
    std::optional<Rational> left = factor();
    while (left && (peek() == '*' || peek() == '/')) {
      const char operation = text_[at_++];
      const std::optional<Rational> right = factor();
      left = right ? apply(operation, *left, *right) : std::nullopt;
    }
    return left;
  }

  std::optional<Rational> factor() {
    bool negative = false;
    for (; peek() == '+' || peek() == '-'; ++at_) negative ^= text_[at_] == '-';
    std::optional<Rational> value = peek() == '(' ? parenthesis() : literal();
    if (value && negative) value = -*value;
    return value;
  }

  std::optional<Rational> parenthesis() {
    if (++depth_ > kDeepestExpression) return std::nullopt;
    ++at_;
    std::optional<Rational> value = sum();
    if (!value || peek() != ')') return std::nullopt;
    ++at_;
    --depth_;
    return value;
  }

  std::optional<Rational> literal() {
    constexpr size_t kMostDigits = kLargestNumber / 3;  // about: a digit is 3.3 bits
    peek();
    const std::string_view rest = std::string_view(text_).substr(at_);
    const size_t digits = std::min(rest.find_first_not_of("0123456789"), rest.size());
    if (digits == 0 || digits > kMostDigits || (rest[0] == '0' && digits > 1)) return std::nullopt;
    literals_.emplace_back(std::string(rest.substr(0, digits)));
    at_ += digits;
    return bounded(literals_.back());
  }

  std::string text_;
  size_t at_ = 0;
  int depth_ = 0;
  std::vector<Integer> literals_;
};

}  // namespace

std::optional<Expression> evaluate(std::string_view text) {
  if (text.size() > kLongestExpression) return std::nullopt;
  std::string ascii = replace_all(text, "×", "*");
  ascii = replace_all(ascii, "÷", "/");
  return Parser(replace_all(ascii, "−", "-")).parse();
}

}  // namespace gdsd
