#include "gdsd/reward/math_equal.h"

#include <algorithm>

#include "gdsd/reward/math_parser.h"
#include "gdsd/reward/math_value.h"
#include "gdsd/text/ascii.h"

namespace gdsd::algebra {

std::optional<Value> read(std::string_view cleaned, Algebra& algebra) {
  try {
    return Parser(cleaned, algebra).whole();
  } catch (const NoValue&) {
    return std::nullopt;
  }
}

namespace {

using Kind = Value::Kind;

class Comparison {
 public:
  explicit Comparison(Algebra& algebra) : algebra_(algebra) {}

  bool equal(const Value& a, const Value& b) {
    algebra_.spend(1);
    if (const Value* side = assigned(a); side && !says_what(b)) return equal(*side, b);
    if (const Value* side = assigned(b); side && !says_what(a)) return equal(a, *side);
    if (a.kind == Kind::kText || b.kind == Kind::kText) return texts(a, b);
    if (a.kind == Kind::kRelation && b.kind == Kind::kRelation) return relations(a, b);
    if (a.kind == Kind::kRelation || b.kind == Kind::kRelation) return interval(a, b);
    if (a.kind != b.kind) {
      if (set(a)) return as_sets(a.items, {b});
      return set(b) && as_sets({a}, b.items);
    }
    switch (a.kind) {
      case Kind::kScalar: return scalars(a, b);
      case Kind::kMatrix: return a.columns == b.columns && in_order(a.items, b.items);
      case Kind::kUnion: return in_any_order(a.items, b.items);
      default: return sequences(a, b);
    }
  }

 private:
  static bool equation(const Value& v) {
    return v.kind == Kind::kRelation && v.operators.find_first_not_of('=') == std::string::npos;
  }

  /// Whether it is an equation, or says of what set something is.
  static bool says_what(const Value& v) {
    return v.kind == Kind::kRelation && v.operators.find_first_not_of("=e") == std::string::npos;
  }

  static bool set(const Value& v) {
    return v.kind == Kind::kSequence && (v.open == 0 || v.open == '{');
  }

  /// The right side of what says what a name is, x = 5, f(x) = 5 or x ∈ A.
  static const Value* assigned(const Value& v) {
    if (v.kind != Kind::kRelation || (v.operators != "=" && v.operators != "e")) return nullptr;
    const Value& name = v.items[0];
    const bool named =
        name.kind == Kind::kText || lone_symbol(name) || word(v.text) || applied(v.text);
    return named ? &v.items[1] : nullptr;
  }

  /// Whether an equation's text begins with a word as a name, sum = or xyz =; two letters are a product.
  static bool word(std::string_view text) {
    const size_t end = text.find('=');
    return end >= 3 && end < text.size() &&
           std::all_of(text.begin(), text.begin() + end, is_letter);
  }

  /// Whether an equation's text begins as f(x) = or f^{-1}(x) =, a letter of a letter.
  static bool applied(std::string_view text) {
    const size_t open = text.find('(');
    if (open == 0 || open == std::string_view::npos || open + 2 > text.size() ||
        !text.substr(open + 2).starts_with(")="))
      return false;
    std::string_view name = text.substr(1, open - 1);
    if (name.ends_with("^{-1}")) name.remove_suffix(5);
    while (name.ends_with('\'')) name.remove_suffix(1);
    const bool subscript = name.starts_with("_{") ? name.find('}') == name.size() - 1
                                                  : name.starts_with('_') && name.size() == 2;
    return is_letter(text[0]) && is_letter(text[open + 1]) && (name.empty() || subscript);
  }

  /// Whether x = 1, y = 2 are on one side alone: then 1, 2 are in that order.
  bool in_the_order_of_names(const std::vector<Value>& a, const std::vector<Value>& b) {
    const auto none = [](const std::vector<Value>& v) {
      return std::none_of(v.begin(), v.end(), equation);
    };
    if (none(a) == none(b)) return false;
    const Value* name = nullptr;
    for (const Value& v : none(a) ? b : a) {
      if (!equation(v)) continue;
      if (name && !equal(*name, v.items[0])) return true;
      name = &v.items[0];
    }
    return false;
  }

  bool as_sets(const std::vector<Value>& a, const std::vector<Value>& b) {
    return in_the_order_of_names(a, b) ? in_order(a, b) : in_any_order(a, b);
  }

  bool scalars(const Value& a, const Value& b) {
    if (!a.base.empty() && !b.base.empty() && a.base != b.base) return false;
    return algebra_.equal(a.scalar, b.scalar) || rounded(a, b) || rounded(b, a);
  }

  /// Whether `decimal` is what `exact` rounds to, to six places and six digits or more.
  static bool rounded(const Value& decimal, const Value& exact) {
    const unsigned places = decimal.places.value_or(0);
    if (places < 6 || (exact.places && *exact.places < places)) return false;
    const auto x = decimal.scalar.rational(), y = exact.scalar.rational();
    if (!x || !y || places > 1000) return false;
    const Rational unit(1, pow(Integer(10), places));
    return abs(*x) >= 100000 * unit && abs(*x - *y) * 2 <= unit;
  }

  /// A text equals the same text, and a word its letters: \text{A} and A.
  static bool texts(const Value& a, const Value& b) {
    const auto letters = [](const Value& v) {
      std::string_view text = v.text;
      if (text.size() == 3 && text.front() == '(' && text.back() == ')') text = text.substr(1, 1);
      return std::string(text);
    };
    std::string x = letters(a), y = letters(b);
    if (a.kind == b.kind) return !x.empty() && x == y;
    if (!std::all_of(x.begin(), x.end(), is_letter)) return false;
    const auto lower = [](char c) { return static_cast<char>(c | 32); };
    return x.size() == y.size() && !x.empty() &&
           std::equal(x.begin(), x.end(), y.begin(),
                      [&](char p, char q) { return lower(p) == lower(q); });
  }

  bool in_order(const std::vector<Value>& a, const std::vector<Value>& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [&](const Value& x, const Value& y) { return equal(x, y); });
  }

  /// Without order and repetitions.
  bool in_any_order(const std::vector<Value>& a, const std::vector<Value>& b) {
    const auto covers = [&](const std::vector<Value>& whole, const std::vector<Value>& part) {
      return std::all_of(part.begin(), part.end(), [&](const Value& x) {
        return std::any_of(whole.begin(), whole.end(), [&](const Value& y) { return equal(x, y); });
      });
    };
    return covers(a, b) && covers(b, a);
  }

  bool sequences(const Value& a, const Value& b) {
    if (set(a) && set(b)) return as_sets(a.items, b.items);
    const bool same = a.open == b.open && a.close == b.close;
    const auto open_list = [](const Value& v) {
      return v.open == 0 || (v.open == '(' && v.close == ')');
    };
    return (same || (open_list(a) && open_list(b))) && in_order(a.items, b.items);
  }

  static char flipped(char operation) {
    switch (operation) {
      case '<': return '>';
      case '>': return '<';
      case 'l': return 'g';
      case 'g': return 'l';
      case 'e': return 'c';
      default: return operation;
    }
  }

  static Value turned(const Value& relation) {
    Value out = relation;
    std::reverse(out.items.begin(), out.items.end());
    std::reverse(out.operators.begin(), out.operators.end());
    for (char& operation : out.operators) operation = flipped(operation);
    return out;
  }

  bool relations(const Value& a, const Value& b) {
    if (a.operators.size() != b.operators.size()) return false;
    const Value back = turned(b);
    if (a.operators == b.operators && in_order(a.items, b.items)) return true;
    if (a.operators == back.operators && in_order(a.items, back.items)) return true;
    if (a.operators.size() != 1 || a.operators == "e") return false;
    for (const Value* v : {&a, &b})
      for (const Value& side : v->items)
        if (side.kind != Kind::kScalar) return false;
    const Ratio left = difference(a);
    if (a.operators == b.operators && algebra_.equal(left, difference(b))) return true;
    if (a.operators == back.operators && algebra_.equal(left, difference(back))) return true;
    return a.operators == "=" && b.operators == "=" && proportional(left, difference(b));
  }

  Ratio difference(const Value& relation) {
    return algebra_.add(relation.items[0].scalar, algebra_.negate(relation.items[1].scalar));
  }

  /// Whether two equations in two unknowns or more, polynomials, are multiples of each other.
  bool proportional(const Ratio& a, const Ratio& b) {
    if (a.denominator.rational() != Rational(1) || b.denominator.rational() != Rational(1) ||
        a.numerator.zero() || b.numerator.zero())
      return false;
    std::map<std::string, int> unknowns;
    for (const auto& [monomial, coefficient] : a.numerator.terms)
      for (const auto& [atom, exponent] : monomial)
        if (atom.kind == Atom::Kind::kSymbol) ++unknowns[atom.name];
    const Rational scale = a.numerator.terms.begin()->second / b.numerator.terms.begin()->second;
    return unknowns.size() > 1 && algebra_.equal(a, algebra_.multiply(b, ratio(scale)));
  }

  /// x < 5 and (−∞, 5), 1 ≤ x < 2 and [1, 2).
  bool interval(const Value& a, const Value& b) {
    const Value& relation = a.kind == Kind::kRelation ? a : b;
    const Value& range = a.kind == Kind::kRelation ? b : a;
    if (range.kind != Kind::kSequence || range.items.size() != 2 || range.open == 0 ||
        range.open == '{')
      return false;
    const auto as_range = range_of(relation);
    return as_range && as_range->open == range.open && as_range->close == range.close &&
           in_order(as_range->items, range.items);
  }

  std::optional<Value> range_of(Value relation) {
    const auto down = [](char c) { return c == '<' || c == 'l'; };
    const auto up = [](char c) { return c == '>' || c == 'g'; };
    const auto& ops = relation.operators;
    if (ops.size() > 2 || relation.items.empty()) return std::nullopt;
    if (ops.size() == 1 && lone_symbol(relation.items[1])) relation = turned(relation);
    if (ops.size() == 2 && std::all_of(ops.begin(), ops.end(), up)) relation = turned(relation);
    Value infinity{.scalar = symbol("\\infty")}, minus{.scalar = algebra_.negate(infinity.scalar)};
    Value range{.kind = Kind::kSequence, .open = '(', .close = ')'};
    if (ops.size() == 2) {
      if (!std::all_of(ops.begin(), ops.end(), down) || !lone_symbol(relation.items[1]))
        return std::nullopt;
      range.items = {relation.items[0], relation.items[2]};
      if (ops[0] == 'l') range.open = '[';
      if (ops[1] == 'l') range.close = ']';
      return range;
    }
    if (!lone_symbol(relation.items[0]) || !(down(ops[0]) || up(ops[0]))) return std::nullopt;
    range.items = {down(ops[0]) ? minus : relation.items[1],
                   down(ops[0]) ? relation.items[1] : infinity};
    if (ops[0] == 'l') range.close = ']';
    if (ops[0] == 'g') range.open = '[';
    return range;
  }

  static bool lone_symbol(const Value& v) {
    if (v.kind != Kind::kScalar || v.scalar.numerator.terms.size() != 1 ||
        v.scalar.denominator.rational() != Rational(1))
      return false;
    const auto& [monomial, coefficient] = *v.scalar.numerator.terms.begin();
    const std::string name = monomial.empty() ? "" : monomial.begin()->first.name;
    return coefficient == 1 && monomial.size() == 1 && monomial.begin()->second == 1 &&
           monomial.begin()->first.kind == Atom::Kind::kSymbol && name != "\\infty" &&
           name.find(' ') == std::string::npos;
  }

  Algebra& algebra_;
};

}  // namespace
}  // namespace gdsd::algebra

namespace gdsd {

bool math_equal(std::string_view a, std::string_view b) {
  using namespace algebra;  // NOLINT: what this function is about
  constexpr size_t kMaxAnswer = 16384;
  if (a.size() > kMaxAnswer || b.size() > kMaxAnswer) return a == b;
  const std::string x = cleaned(a), y = cleaned(b);
  if (x.empty() || y.empty()) return false;
  if (x == y) return true;
  Algebra algebra;
  const auto p = read(x, algebra), q = read(y, algebra);
  if (!p || !q) return false;
  try {
    return Comparison(algebra).equal(*p, *q);
  } catch (const NoValue&) {
    return false;
  }
}

}  // namespace gdsd
