// What stands for itself in a formula: numbers, letters, brackets, texts.
#include <algorithm>

#include "gdsd/reward/math_parser.h"
#include "gdsd/text/ascii.h"
#include "gdsd/text/python_text.h"

namespace gdsd::algebra {
namespace {

using Kind = Value::Kind;

constexpr std::string_view kSymbols[] = {
    "alpha", "beta",     "gamma", "delta",   "epsilon", "varepsilon", "zeta", "eta",
    "theta", "vartheta", "iota",  "kappa",   "lambda",  "mu",         "nu",   "xi",
    "rho",   "sigma",    "tau",   "upsilon", "phi",     "varphi",     "chi",  "psi",
    "omega", "Gamma",    "Delta", "Theta",   "Lambda",  "Xi",         "Pi",   "Sigma",
    "Phi",   "Psi",      "Omega", "ell",     "infty"};

template <typename List>
bool in(const List& list, std::string_view name) {
  return std::find(std::begin(list), std::end(list), name) != std::end(list);
}

/// The digits of a number as a value, "12.50" with two places.
Value decimal(std::string_view whole, std::string_view after_point, Algebra& algebra) {
  algebra.spend((whole.size() + after_point.size()) / 16);
  Integer over(0), under(1);
  for (const std::string_view part : {whole, after_point})
    for (char c : part)
      if (is_digit(c)) over = over * 10 + (c - '0');
  for (size_t i = 0; i < after_point.size(); ++i) under *= 10;
  Value value{.scalar = ratio(Rational(over, under))};
  if (!after_point.empty()) value.places = static_cast<unsigned>(after_point.size());
  return value;
}

}  // namespace

std::string_view Parser::command_name() {
  size_t end = at_ + 1;
  while (end < text_.size() && is_letter(text_[end])) ++end;
  return text_.substr(at_ + 1, end - at_ - 1);
}

bool Parser::starts_primary() {
  const char c = peek();
  if (c == '\\') {
    const std::string_view name = command_name();
    return in(kSymbols, name) || is_function(name) || name == "frac" || name == "sqrt" ||
           name == "pi" || name == "binom" || name == "text" || name == "begin" ||
           name == "lfloor" || name == "lceil";
  }
  return is_digit(c) || is_letter(c) || c == '(' || c == '[' || c == '{' ||
         (c == '|' && bars_ == 0) ||
         (c == '.' && at_ + 1 < text_.size() && is_digit(text_[at_ + 1]));
}

Value Parser::primary() {
  const Deeper deeper(*this);
  const char c = peek();
  if (is_digit(c) || c == '.') return number();
  if (is_letter(c)) return letter();
  if (c == '(' || c == '[') return bracketed();
  if (c == '\\') return command();
  if (text_.substr(at_).starts_with("\u03c0")) {
    at_ += 2;
    return {.scalar = symbol("\\pi", Atom::Kind::kPositive)};
  }
  if (take("{")) {
    Value value = sum();
    expect("}");
    return value;
  }
  if (take("|")) {
    ++bars_;
    const Ratio inside = scalar(sum());
    --bars_;
    expect("|");
    return of(algebra_.absolute(inside));
  }
  fail();
}

Value Parser::number() {
  const size_t begin = at_;
  const auto digits = [&] {
    while (at_ < text_.size() && (is_digit(text_[at_]) || (thousands_ && text_[at_] == ','))) ++at_;
  };
  digits();
  const std::string_view whole = text_.substr(begin, at_ - begin);
  std::string_view after;
  if (at_ + 1 < text_.size() && text_[at_] == '.' && is_digit(text_[at_ + 1])) {
    const size_t point = at_++;
    digits();
    after = text_.substr(point + 1, at_ - point - 1);
  }
  if (whole.empty() && after.empty()) fail();
  if (whole.size() + after.size() > 1000) fail();
  Value value = decimal(whole, after, algebra_);
  if (take("_")) value.base = subscript();
  return value;
}

/// "_{10}" after the underscore, without braces and spaces.
std::string Parser::subscript() {
  const size_t begin = at_;
  if (peek() == '{') {
    const size_t end = text_.find('}', at_);
    if (end == std::string_view::npos) fail();
    at_ = end + 1;
  } else if (is_digit(peek())) {
    while (at_ < text_.size() && is_digit(text_[at_])) ++at_;
  } else if (is_letter(peek())) {
    ++at_;
  } else {
    fail();
  }
  std::string name;
  for (char c : text_.substr(begin, at_ - begin))
    if (c != ' ' && c != '{' && c != '}') name += c;
  return name;
}

/// A parenthesis around a scalar is that scalar; around more, or of two kinds, a sequence.
Value Parser::bracketed() {
  const Deeper deeper(*this);
  const char open = text_[at_++];
  const int bars = std::exchange(bars_, 0);
  std::vector<Value> items;
  if (peek() != ')') {
    items.push_back(element());
    while (take(",")) items.push_back(element());
  }
  bars_ = bars;
  const char close = peek();
  if ((close != ')' && close != ']') || items.empty() || items.size() > 64) fail();
  ++at_;
  const bool plain = (open == '(') == (close == ')');
  if (items.size() == 1 && plain && items[0].kind == Kind::kScalar) return of(items[0].scalar);
  if (items.size() == 1 && plain && items[0].kind != Kind::kRelation) return std::move(items[0]);
  if (items.size() < 2) fail();
  return {.kind = Kind::kSequence, .items = std::move(items), .open = open, .close = close};
}

Value Parser::set() {
  const Deeper deeper(*this);
  Value value{.kind = Kind::kSequence, .open = '{', .close = '}'};
  if (take("\\}")) return value;
  value.items = elements();
  expect("\\}");
  return value;
}

/// \text{…}: a number if that is in it, or what it means after one.
Value Parser::text_group() {
  const bool is_first = at_ <= std::string_view("\\text").size();
  expect("{");
  const size_t end = text_.find('}', at_);
  if (end == std::string_view::npos) fail();
  const std::string_view inside = python_strip(text_.substr(at_, end - at_));
  if (inside.find_first_of("\\{") != std::string_view::npos) fail();
  at_ = end + 1;
  const std::string_view digits = inside.substr(inside.starts_with('-') ? 1 : 0);
  const size_t point = std::min(digits.find('.'), digits.size());
  const std::string_view whole = digits.substr(0, point),
                         after = point < digits.size() ? digits.substr(point + 1) : "";
  if (!whole.empty() && digits.size() < 1000 && std::all_of(whole.begin(), whole.end(), is_digit) &&
      std::all_of(after.begin(), after.end(), is_digit) &&
      (point == digits.size() || !after.empty())) {
    Value value = decimal(whole, after, algebra_);
    if (inside.starts_with('-')) value.scalar = algebra_.negate(value.scalar);
    return value;
  }
  if (auto value = quantity(inside); value && !is_first) return of(*std::move(value));
  return {.kind = Kind::kText, .text = std::string(inside)};
}

Value Parser::letter() {
  std::string name(1, text_[at_++]);
  const bool bare = peek() != '_' && peek() != '\'';
  if (bare && name == "e") return {.scalar = symbol("e", Atom::Kind::kPositive)};
  if (bare && name == "i") return {.scalar = symbol("i", Atom::Kind::kImaginary)};
  if (take("_")) name += "_" + subscript();
  while (take("'")) name += '\'';
  return {.scalar = symbol(name)};
}

Value Parser::command() {
  if (take("\\{")) return set();
  const std::string_view name = command_name();
  if (name.empty()) fail();
  at_ += 1 + name.size();
  if (name == "frac") return fraction();
  if (name == "sqrt") return root();
  if (name == "text") return text_group();
  if (name == "begin") return matrix();
  if (name == "emptyset") return {.kind = Kind::kSequence, .open = '{', .close = '}'};
  if (name == "pi") return {.scalar = symbol("\\pi", Atom::Kind::kPositive)};
  if (name == "binom") {
    const Ratio n = braced();
    return of(algebra_.binomial(n, braced()));
  }
  if (name == "lfloor" || name == "lceil") {
    const Ratio inside = scalar(sum());
    expect(name == "lfloor" ? "\\rfloor" : "\\rceil");
    const auto value = inside.rational();
    if (!value) return of(algebra_.function(std::string(name), inside));
    const Integer over = numerator(*value), under = denominator(*value);
    const Integer below = over / under - (over % under < 0 ? 1 : 0);
    return of(ratio(Rational(below + (name == "lceil" && over % under != 0 ? 1 : 0))));
  }
  if (name == "mathbb") {
    const std::string which = subscript();
    return {.scalar = symbol("\\mathbb " + which)};
  }
  if (in(kSymbols, name)) {
    std::string full = "\\" + std::string(name);
    if (take("_")) full += "_" + subscript();
    return {.scalar = symbol(full)};
  }
  if (is_function(name)) return function(name);
  fail();
}

}  // namespace gdsd::algebra
