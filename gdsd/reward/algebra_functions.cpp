// Functions of what the algebra holds.
#include "gdsd/reward/algebra.h"

namespace gdsd::algebra {
namespace {

using Kind = Atom::Kind;

/// Whether a root in it may be imaginary: that of a constant which is not plainly positive.
bool may_be_imaginary(const Polynomial& p) {
  for (const auto& [monomial, coefficient] : p.terms)
    for (const auto& [atom, exponent] : monomial) {
      if (atom.kind != Kind::kRoot || atom.name.starts_with("sin ")) continue;
      bool variable = false, positive = true;
      for (const auto& [inner, factor] : atom.base->terms) {
        positive = positive && factor > 0;
        for (const auto& [a, e] : inner) {
          variable = variable || (a.kind == Kind::kSymbol && a.name.find(' ') == std::string::npos);
          positive = positive && (a.kind == Kind::kPrime || a.kind == Kind::kPositive);
        }
      }
      if (may_be_imaginary(*atom.base) || (!variable && !positive)) return true;
    }
  return false;
}

/// q of q·π.
std::optional<Rational> turns_of_pi(const Ratio& x) {
  if (x.numerator.zero()) return Rational(0);
  if (x.denominator.rational() != Rational(1) || x.numerator.terms.size() != 1) return std::nullopt;
  const auto& [monomial, coefficient] = *x.numerator.terms.begin();
  if (monomial.size() != 1 || monomial.begin()->first.name != "\\pi" ||
      monomial.begin()->second != 1)
    return std::nullopt;
  return coefficient;
}

bool negative_first(const Ratio& x) {
  return !x.numerator.zero() && x.numerator.terms.begin()->second < 0;
}

}  // namespace

Ratio Algebra::absolute(const Ratio& x) {
  if (const auto number = x.rational()) return ratio(*number < 0 ? Rational(-*number) : *number);
  if (x.denominator.rational() != Rational(1)) return function("abs", x);
  const Polynomial& p = x.numerator;
  if (may_be_imaginary(p)) return function("abs", x);
  const bool holds_i = name_of(p).find("[i]") != std::string::npos;  // in roots and functions too
  if (!holds_i) return root(multiply(x, x), 2);
  Polynomial real, imaginary;  // |a + bi| = √(a² + b²) for numbers a and b
  for (const auto& [monomial, coefficient] : p.terms) {
    Monomial rest = monomial;
    const bool has_i = rest.erase({.kind = Kind::kImaginary, .name = "i"}) > 0;
    for (const auto& [atom, exponent] : rest)
      if (atom.kind != Kind::kPrime && atom.kind != Kind::kPositive) return function("abs", x);
    (has_i ? imaginary : real).terms[rest] = coefficient;
  }
  const Polynomial squares = sum(product(real, real), product(imaginary, imaginary));
  return root({squares, constant(1)}, 2);
}

/// ln of a positive rational is the sum of its primes', ln of e^q is q.
Ratio Algebra::natural_log(const Ratio& x) {
  if (const auto number = x.rational(); number && *number > 0) {
    Ratio out = ratio(0);
    for (const auto& [prime, times] : factors(numerator(*number)))
      out = add(out, multiply(ratio(times), symbol("ln " + prime.str(), Kind::kPositive)));
    for (const auto& [prime, times] : factors(denominator(*number)))
      out = add(out, multiply(ratio(-times), symbol("ln " + prime.str(), Kind::kPositive)));
    return out;
  }
  if (x.denominator.rational() != Rational(1) || x.numerator.terms.size() != 1)
    return function("ln", x);
  const auto& [monomial, coefficient] = *x.numerator.terms.begin();
  if (coefficient <= 0) return function("ln", x);
  Ratio out = natural_log(ratio(coefficient));
  for (const auto& [atom, exponent] : monomial) {
    if (atom.kind == Kind::kPrime)
      out = add(out, multiply(ratio(exponent), symbol("ln " + atom.name, Kind::kPositive)));
    else if (atom.kind == Kind::kPositive && atom.name == "e")
      out = add(out, ratio(exponent));
    else
      return function("ln", x);
  }
  return out;
}

Ratio Algebra::cosine(const Ratio& x) {
  if (const auto turns = turns_of_pi(x)) {
    const Rational twelfths = *turns * 12;
    if (denominator(twelfths) == 1) {
      auto k = static_cast<int>(Integer(((numerator(twelfths) % 24) + 24) % 24));
      if (k > 12) k = 24 - k;
      const int sign = k > 6 ? -1 : 1;
      if (k > 6) k = 12 - k;
      const std::map<int, int> four_squares{{0, 4}, {2, 3}, {3, 2}, {4, 1}, {6, 0}};
      if (const auto found = four_squares.find(k); found != four_squares.end())
        return multiply(ratio(Rational(sign) / 2), root(ratio(found->second), 2));
    }
  }
  return symbol("cos " + name_of(negative_first(x) ? negate(x) : x));
}

/// The root of 1 − cos², so that its square is replaced by that.
Ratio Algebra::sine(const Ratio& x) {
  if (const auto turns = turns_of_pi(x); turns && denominator(Rational(*turns * 12)) == 1)
    return cosine(
        add(multiply(symbol("\\pi", Kind::kPositive), ratio(Rational(1) / 2)), negate(x)));
  if (negative_first(x)) return negate(sine(negate(x)));
  const Ratio cos = cosine(x);
  const Polynomial base =
      sum(constant(1), product(constant(-1), product(cos.numerator, cos.numerator)));
  const Atom atom{.kind = Kind::kRoot,
                  .name = "sin " + name_of(x),
                  .base = std::make_shared<const Polynomial>(base)};
  return {single(atom, Rational(1) / 2), constant(1)};
}

Ratio Algebra::factorial(const Ratio& x) {
  const auto n = x.rational();
  if (!n || denominator(*n) != 1) return function("!", x);
  if (*n < 0 || *n > 200) throw NoValue{};
  Integer value = 1;
  for (int i = 2; i <= *n; ++i) value *= i;
  return ratio(Rational(value));
}

Ratio Algebra::binomial(const Ratio& n, const Ratio& k) {
  const auto from = n.rational(), take = k.rational();
  if (!from || !take || denominator(*from) != 1 || denominator(*take) != 1 || *take < 0 ||
      *from < 0 || *from > 300)
    return function("binomial of " + name_of(n), k);
  if (*take > *from) return ratio(0);
  Rational value = 1;
  for (Rational i = 1; i <= *take; i += 1) value *= (*from - *take + i) / i;
  return ratio(value);
}

Ratio Algebra::function(const std::string& name, const Ratio& x) {
  spend(1);
  return symbol(name + " of " + name_of(x));
}

}  // namespace gdsd::algebra
