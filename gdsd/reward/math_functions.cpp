// Functions, fractions, roots and matrices in a formula.
#include <algorithm>

#include "gdsd/reward/math_parser.h"
#include "gdsd/text/ascii.h"

namespace gdsd::algebra {
namespace {

using Kind = Value::Kind;

constexpr std::string_view kFunctions[] = {"sin",    "cos",  "tan",  "cot", "sec",    "csc",
                                           "log",    "ln",   "lg",   "exp", "arcsin", "arccos",
                                           "arctan", "sinh", "cosh", "tanh"};

}  // namespace

bool Parser::is_function(std::string_view name) {
  return std::find(std::begin(kFunctions), std::end(kFunctions), name) != std::end(kFunctions);
}

/// What a function is applied to: a parenthesis, else the factors up to a sign or a function.
Ratio Parser::argument() {
  const char c = peek();
  if (c == '(') return scalar(power());
  Ratio value = scalar(power());
  while (starts_primary() && peek() != '(' &&
         !(peek() == '\\' && (is_function(command_name()) || command_name() == "text")))
    value = algebra_.multiply(value, scalar(power()));
  return value;
}

Value Parser::function(std::string_view name) {
  const Deeper deeper(*this);
  if (name == "log" || name == "ln" || name == "lg") return logarithm(name);
  std::optional<Ratio> raised;
  if (take("^")) raised = exponent();
  const Ratio x = argument();
  if (name == "exp") return of(algebra_.power(symbol("e", Atom::Kind::kPositive), x));
  Ratio value;
  if (raised && raised->rational() == Rational(-1)) {  // sin^{-1}
    value = algebra_.function("arc" + std::string(name), x);
    raised.reset();
  } else if (name == "sin") {
    value = algebra_.sine(x);
  } else if (name == "cos") {
    value = algebra_.cosine(x);
  } else if (name == "tan") {
    value = algebra_.divide(algebra_.sine(x), algebra_.cosine(x));
  } else if (name == "cot") {
    value = algebra_.divide(algebra_.cosine(x), algebra_.sine(x));
  } else if (name == "sec") {
    value = algebra_.divide(ratio(1), algebra_.cosine(x));
  } else if (name == "csc") {
    value = algebra_.divide(ratio(1), algebra_.sine(x));
  } else {
    value = algebra_.function(std::string(name), x);
  }
  return of(raised ? algebra_.power(value, *raised) : value);
}

/// \log without a base is to the base 10.
Value Parser::logarithm(std::string_view name) {
  Ratio base = name == "ln" ? symbol("e", Atom::Kind::kPositive) : ratio(10);
  if (take("_")) {
    if (peek() == '{')
      base = braced();
    else
      base = is_digit(peek()) ? ratio(text_[at_++] - '0') : scalar(primary());
  }
  std::optional<Ratio> raised;
  if (take("^")) raised = exponent();
  const Ratio x = argument();
  const Ratio value = algebra_.divide(algebra_.natural_log(x), algebra_.natural_log(base));
  return of(raised ? algebra_.power(value, *raised) : value);
}

Ratio Parser::braced() {
  expect("{");
  const Ratio value = scalar(sum());
  expect("}");
  return value;
}

Ratio Parser::digit_or_braced() {
  if (!is_digit(peek())) return braced();
  return ratio(text_[at_++] - '0');
}

Value Parser::fraction() {
  const Deeper deeper(*this);
  const Ratio over = digit_or_braced(), under = digit_or_braced();
  return of(algebra_.divide(over, under));
}

Value Parser::root() {
  const Deeper deeper(*this);
  if (take("[")) {
    const auto degree = scalar(sum()).rational();
    expect("]");
    if (!degree) fail();
    return of(algebra_.root(braced(), *degree));
  }
  if (is_letter(peek())) return of(algebra_.root(scalar(letter()), 2));
  return of(algebra_.root(digit_or_braced(), 2));
}

Value Parser::matrix() {
  const Deeper deeper(*this);
  std::string_view name;
  for (std::string_view kind : {"{pmatrix}", "{bmatrix}", "{matrix}", "{Bmatrix}"})
    if (name.empty() && take(kind)) name = kind;
  if (name.empty()) fail();
  Value value{.kind = Kind::kMatrix};
  size_t columns = 0;
  for (;;) {
    ++columns;
    value.items.push_back(of(scalar(sum())));
    if (value.items.size() > 256) fail();
    if (take("&")) continue;
    if (value.columns == 0) value.columns = columns;
    if (value.columns != columns) fail();
    columns = 0;
    const bool row_ended = take("\\\\");
    if (take("\\end")) break;
    if (!row_ended) fail();
  }
  expect(name);
  return value;
}

}  // namespace gdsd::algebra
