#include "gdsd/reward/math_parser.h"

#include <algorithm>

#include "gdsd/text/ascii.h"
#include "gdsd/text/python_text.h"

namespace gdsd::algebra {
namespace {

using Kind = Value::Kind;

constexpr size_t kMaxText = 4096;

/// Whether the text, or what it says a name equals, is one number with commas: 1,234,567.
bool only_thousands(std::string_view text) {
  text.remove_prefix(text.rfind('=') + 1);  // npos + 1 is 0
  text = python_strip(text);
  if (text.starts_with('-')) text.remove_prefix(1);
  const std::string_view whole = text.substr(0, std::min(text.find('.'), text.size()));
  size_t at = std::min(whole.find_first_not_of("0123456789"), whole.size());
  bool ok = at > 0 && at <= 3 && at < whole.size();
  for (; ok && at < whole.size(); at += 4)
    ok = whole[at] == ',' && whole.size() - at >= 4 &&
         std::all_of(whole.begin() + at + 1, whole.begin() + at + 4, is_digit);
  return ok && std::all_of(text.begin() + whole.size(), text.end(),
                           [](char c) { return c == '.' || is_digit(c); });
}

/// What a relation is written as, and its letter in Value::operators.
constexpr std::pair<std::string_view, char> kRelations[] = {
    {"=", '='},    {"<", '<'},    {">", '>'},      {"\\le", 'l'},   {"\\ge", 'g'},
    {"\\ne", 'n'}, {"\\in", 'e'}, {"\u2264", 'l'}, {"\u2265", 'g'}, {"\u2260", 'n'},
};

bool infinite(const Ratio& r) {
  for (const auto& [monomial, coefficient] : r.numerator.terms)
    for (const auto& [atom, exponent] : monomial)
      if (atom.name == "\\infty") return true;
  return false;
}

}  // namespace

Parser::Parser(std::string_view text, Algebra& algebra)
    : text_(text), algebra_(algebra), thousands_(only_thousands(text)) {
  if (text.size() > kMaxText) fail();
}

char Parser::peek() {
  while (at_ < text_.size() && text_[at_] == ' ') ++at_;
  return at_ < text_.size() ? text_[at_] : '\0';
}

/// Takes a character or a whole command if it comes next.
bool Parser::take(std::string_view what) {
  peek();
  if (!text_.substr(at_).starts_with(what)) return false;
  const size_t end = at_ + what.size();
  const bool is_command = what.size() > 1 && what[0] == '\\' && std::isalpha(what[1]);
  if (is_command && end < text_.size() && std::isalpha(static_cast<unsigned char>(text_[end])))
    return false;
  at_ = end;
  return true;
}

void Parser::expect(std::string_view what) {
  if (!take(what)) fail();
}

Ratio Parser::scalar(const Value& v) const {
  if (v.kind != Kind::kScalar) fail();
  return v.scalar;
}

Value Parser::whole() {
  std::vector<Value> items = elements();
  if (peek() != '\0' || at_ < text_.size()) fail();
  if (items.size() == 1) return std::move(items[0]);
  return {.kind = Kind::kSequence, .items = std::move(items)};
}

/// One or more; an element with \pm is two.
std::vector<Value> Parser::elements() {
  std::vector<Value> items;
  do {
    const size_t begin = at_;
    const bool outer = std::exchange(plus_minus_, false);
    const int sign = std::exchange(sign_, 1);
    items.push_back(element());
    if (plus_minus_) {
      at_ = begin;
      sign_ = -1;
      items.push_back(element());
    }
    plus_minus_ = outer;
    sign_ = sign;
    if (items.size() > 64) fail();
  } while (take(",") || take(";"));
  return items;
}

Value Parser::element() {
  const Deeper deeper(*this);
  peek();
  const size_t begin = at_;
  Value first = united();
  Value relation{.kind = Kind::kRelation};
  for (bool more = true; more;) {
    more = false;
    for (const auto& [written, letter] : kRelations)
      if (!more && take(written)) {
        relation.operators += letter;
        if (relation.items.empty()) relation.items.push_back(std::move(first));
        relation.items.push_back(united());
        more = true;
      }
  }
  Value value = relation.items.empty() ? std::move(first) : std::move(relation);
  algebra_.spend((at_ - begin) / 64);
  if (value.kind != Kind::kText)
    value.text = replace_all(text_.substr(begin, at_ - begin), " ", "");
  return value;
}

Value Parser::united() {
  Value first = sum();
  if (!take("\\cup")) return first;
  Value all{.kind = Kind::kUnion};
  all.items.push_back(std::move(first));
  do all.items.push_back(sum());
  while (take("\\cup") && all.items.size() < 64);
  return all;
}

/// + or * of scalars and matrices; places and base are of literals only.
Value Parser::combined(char operation, const Value& a, const Value& b) {
  if (a.kind == Kind::kMatrix && b.kind == Kind::kMatrix && operation == '+') {
    if (a.columns != b.columns || a.items.size() != b.items.size()) fail();
    Value out = a;
    for (size_t i = 0; i < a.items.size(); ++i)
      out.items[i] = combined('+', a.items[i], b.items[i]);
    return out;
  }
  if (operation == '*' && (a.kind == Kind::kMatrix) != (b.kind == Kind::kMatrix)) {
    Value out = a.kind == Kind::kMatrix ? a : b;
    for (Value& item : out.items) item = combined('*', item, a.kind == Kind::kMatrix ? b : a);
    return out;
  }
  const Ratio x = scalar(a), y = scalar(b);
  if ((infinite(x) || infinite(y)) && !(operation == '*' && x.rational() == Rational(-1))) fail();
  return of(operation == '+' ? algebra_.add(x, y) : algebra_.multiply(x, y));
}

Value Parser::of(Ratio value) const { return {.scalar = std::move(value)}; }

Value Parser::sum() {
  Value total;
  for (bool first = true;; first = false) {
    int sign = 1;
    bool any = false;
    for (;; any = true) {
      if (take("+")) continue;
      if (take("-") || take("\u2212")) {
        sign = -sign;
      } else if (take("\\pm") || take("\u00b1")) {
        plus_minus_ = true;
        sign *= sign_;
      } else if (take("\\mp")) {
        plus_minus_ = true;
        sign *= -sign_;
      } else {
        break;
      }
    }
    if (!first && !any) return total;
    Value term = product();
    if (sign < 0) {
      const auto places = term.places;
      term = combined('*', of(ratio(-1)), term);
      term.places = places;
    }
    total = first ? std::move(term) : combined('+', total, term);
  }
}

Value Parser::product() {
  Value value = factors();
  for (;;) {
    if (take("*") || take("\\cdot") || take("\\times") || take("\u00d7")) {
      const bool negative = take("-");
      value = combined('*', value, factors());
      if (negative) value = combined('*', of(ratio(-1)), value);
    } else if (take("/") || take(":") || take("\\div") || take("\u00f7")) {
      const bool negative = take("-");
      const Ratio under = scalar(factors());
      if (infinite(under)) fail();
      value = combined('*', value, of(algebra_.divide(ratio(negative ? -1 : 1), under)));
    } else {
      return value;
    }
  }
}

/// Products without a sign and mixed numbers: 2x, 1\frac12.
Value Parser::factors() {
  const Deeper deeper(*this);
  const char first = peek();
  bool number_before = is_digit(first) || first == '.';
  const size_t begin = at_;
  Value value = power();
  const std::string_view source = python_strip(text_.substr(begin, at_ - begin));
  const bool mixed = number_before && std::all_of(source.begin(), source.end(), is_digit) &&
                     text_.substr(at_).starts_with("\\frac");
  if (mixed) {
    const Value part = power();
    const auto fraction = scalar(part).rational();
    const bool proper = fraction && *fraction > 0 && *fraction < 1;
    value = combined(proper ? '+' : '*', value, part);
    number_before = false;
  }
  while (starts_primary()) {
    const bool number = is_digit(text_[at_]) || text_[at_] == '.';
    if (number && number_before) fail();  // "1 000"
    value = combined('*', value, power());
    number_before = number;
  }
  return value;
}

Value Parser::power() {
  Value value = primary();
  for (;;) {
    if (take("^")) {
      const Ratio above = exponent();
      if (infinite(above) || infinite(scalar(value))) fail();
      value = of(algebra_.power(value.scalar, above));
    } else if (take("!")) {
      value = of(algebra_.factorial(scalar(value)));
    } else if (take("\\%") || take("%")) {
      const auto places = value.places;
      value = of(algebra_.multiply(scalar(value), ratio(Rational(1) / 100)));
      if (places) value.places = *places + 2;
    } else {
      return value;
    }
  }
}

Ratio Parser::exponent() {
  const Deeper deeper(*this);
  if (take("{")) {
    const Ratio value = scalar(sum());
    expect("}");
    return value;
  }
  if (take("-")) return algebra_.negate(scalar(primary()));
  return scalar(primary());
}

}  // namespace gdsd::algebra
