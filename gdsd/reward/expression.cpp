// A recursive-descent parser that evaluates as it reads:
//   sum = product {(+|-) product}, product = factor {(*|/) factor},
//   factor = {+|-} (integer | "(" sum ")").
#include "gdsd/reward/expression.h"

#include <charconv>
#include <limits>
#include <utility>

namespace gdsd {
namespace {

using Wide = __int128;  // holds a · b + c · d of any four int64_t but −2^63, which no Fraction has

/// numerator / denominator in lowest terms, if there is such a Fraction.
std::optional<Fraction> fraction(Wide numerator, Wide denominator) {
  if (denominator == 0) return std::nullopt;
  Wide divisor = denominator, rest = numerator;  // Euclid
  while (rest != 0) divisor = std::exchange(rest, divisor % rest);
  if ((divisor < 0) != (denominator < 0)) divisor = -divisor;
  numerator /= divisor;
  denominator /= divisor;
  constexpr Wide kMax = std::numeric_limits<int64_t>::max();
  if (numerator > kMax || numerator < -kMax || denominator > kMax) return std::nullopt;
  return Fraction{static_cast<int64_t>(numerator), static_cast<int64_t>(denominator)};
}

std::optional<Fraction> apply(char operation, const Fraction& x, const Fraction& y) {
  const Wide a = x.numerator, b = x.denominator, c = y.numerator, d = y.denominator;
  switch (operation) {
    case '+': return fraction(a * d + c * b, b * d);
    case '-': return fraction(a * d - c * b, b * d);
    case '*': return fraction(a * c, b * d);
    default: return fraction(a * d, b * c);  // '/'
  }
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  std::optional<Expression> parse() {
    const std::optional<Fraction> value = sum();
    if (!value || peek() != kEnd || at_ < text_.size()) return std::nullopt;
    return Expression{*value, std::move(literals_)};
  }

 private:
  static constexpr char kEnd = '\0';
  static constexpr int kMaxDepth = 100;

  /// The next character that is not a space; kEnd too for a NUL in the text.
  char peek() {
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
    return at_ < text_.size() ? text_[at_] : kEnd;
  }

  std::optional<Fraction> sum() {
    std::optional<Fraction> left = product();
    while (left && (peek() == '+' || peek() == '-')) {
      const char operation = text_[at_++];
      const std::optional<Fraction> right = product();
      left = right ? apply(operation, *left, *right) : std::nullopt;
    }
    return left;
  }

  std::optional<Fraction> product() {
    std::optional<Fraction> left = factor();
    while (left && (peek() == '*' || peek() == '/')) {
      const char operation = text_[at_++];
      const std::optional<Fraction> right = factor();
      left = right ? apply(operation, *left, *right) : std::nullopt;
    }
    return left;
  }

  std::optional<Fraction> factor() {
    bool negative = false;
    for (; peek() == '+' || peek() == '-'; ++at_) negative ^= text_[at_] == '-';
    std::optional<Fraction> value = peek() == '(' ? parenthesis() : literal();
    if (value && negative) value->numerator = -value->numerator;
    return value;
  }

  std::optional<Fraction> parenthesis() {
    if (++depth_ > kMaxDepth) return std::nullopt;
    ++at_;
    const std::optional<Fraction> value = sum();
    if (!value || peek() != ')') return std::nullopt;
    ++at_;
    --depth_;
    return value;
  }

  std::optional<Fraction> literal() {
    const char first = peek();
    if (first < '0' || first > '9') return std::nullopt;
    int64_t value = 0;
    const char* begin = text_.data() + at_;
    const auto [end, error] = std::from_chars(begin, text_.data() + text_.size(), value);
    if (error != std::errc() || (first == '0' && end != begin + 1)) return std::nullopt;
    at_ += end - begin;
    literals_.push_back(value);
    return Fraction{value, 1};
  }

  std::string_view text_;
  size_t at_ = 0;
  int depth_ = 0;
  std::vector<int64_t> literals_;
};

}  // namespace

std::optional<Expression> evaluate(std::string_view text) { return Parser(text).parse(); }

}  // namespace gdsd
