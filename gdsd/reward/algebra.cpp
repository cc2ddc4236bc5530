#include "gdsd/reward/algebra.h"

#include <algorithm>

namespace gdsd::algebra {
namespace {

using Kind = Atom::Kind;

constexpr size_t kMaxBits = 8192;   // of a numerator or denominator
constexpr size_t kMaxTerms = 1000;  // of a polynomial
constexpr size_t kMaxName = 2000;   // bytes

using gdsd::bits;

size_t bits(const Rational& q) { return bits(numerator(q)) + bits(denominator(q)); }

/// What it takes to copy a monomial, in units of the budget; names of atoms may be long.
size_t weight(const Monomial& monomial) {
  size_t units = 0;
  for (const auto& [atom, exponent] : monomial) units += 1 + atom.name.size() / 64;
  return units;
}

size_t weight(const Polynomial& p) {
  size_t units = p.terms.size();
  for (const auto& [monomial, coefficient] : p.terms) units += weight(monomial);
  return units;
}

void check_size(const Rational& value) {
  if (bits(value) > kMaxBits) throw NoValue{};
}

void add_term(Polynomial& to, const Monomial& monomial, const Rational& coefficient) {
  const auto [at, is_new] = to.terms.emplace(monomial, coefficient);
  if (!is_new) at->second += coefficient;
  check_size(at->second);
  if (at->second == 0) to.terms.erase(at);
}

/// The largest integer at most q.
Integer floor_of(const Rational& q) {
  Integer whole = numerator(q) / denominator(q);
  if (q < 0 && whole * denominator(q) != numerator(q)) --whole;
  return whole;
}

}  // namespace

std::optional<Rational> Polynomial::rational() const {
  if (zero()) return Rational(0);
  if (terms.size() > 1 || !terms.begin()->first.empty()) return std::nullopt;
  return terms.begin()->second;
}

std::optional<Rational> Ratio::rational() const {
  const auto over = numerator.rational(), under = denominator.rational();
  if (!over || !under) return std::nullopt;
  return Rational(*over / *under);
}

Polynomial constant(const Rational& value) {
  Polynomial p;
  if (value != 0) p.terms[{}] = value;
  return p;
}

Ratio ratio(const Rational& value) { return {constant(value), constant(1)}; }

Polynomial single(Atom atom, const Rational& exponent) {
  Polynomial p;
  p.terms[exponent == 0 ? Monomial{} : Monomial{{std::move(atom), exponent}}] = 1;
  return p;
}

Ratio symbol(const std::string& name, Atom::Kind kind) {
  return {single({.kind = kind, .name = name}), constant(1)};
}

std::string Algebra::name_of(const Polynomial& p) {
  std::string name;
  for (const auto& [monomial, coefficient] : p.terms) {
    name += "+" + coefficient.str();
    for (const auto& [atom, exponent] : monomial)
      name += "*" + std::to_string(static_cast<int>(atom.kind)) + "[" + atom.name + "]^" +
              exponent.str();
    if (name.size() > kMaxName) throw NoValue{};
  }
  spend(1 + name.size() / 64);
  return name;
}

std::string Algebra::name_of(const Ratio& r) {
  if (r.denominator.rational() == Rational(1)) return name_of(r.numerator);
  return "(" + name_of(r.numerator) + ")/(" + name_of(r.denominator) + ")";
}

void Algebra::spend(size_t units) {
  if (units > left_) throw NoValue{};
  left_ -= units;
}

Polynomial Algebra::sum(const Polynomial& a, const Polynomial& b) {
  spend(1 + weight(a) + weight(b));
  Polynomial out = a;
  for (const auto& [monomial, coefficient] : b.terms) add_term(out, monomial, coefficient);
  return out;
}

/// coefficient · monomial in normal form.
Polynomial Algebra::normal(const Monomial& monomial, Rational coefficient) {
  Monomial rest;
  Polynomial others = constant(1);
  for (const auto& [atom, exponent] : monomial) {
    if (exponent == 0) continue;
    if (bits(exponent) > 128) throw NoValue{};
    const Integer whole = floor_of(exponent);
    const Rational part = exponent - Rational(whole);
    if (atom.kind == Kind::kImaginary) {
      if (part != 0) throw NoValue{};
      const int turns = static_cast<int>(Integer(((whole % 4) + 4) % 4));
      if (turns % 2 == 1) rest[atom] = 1;
      if (turns >= 2) coefficient = -coefficient;
    } else if (atom.kind == Kind::kPrime) {
      coefficient *= *whole_power(constant(Rational(Integer(atom.name))), whole).rational();
      if (part != 0) rest[atom] = part;
    } else if (atom.kind == Kind::kRoot) {
      if (whole < 0) throw NoValue{};
      if (whole > 0) others = product(others, whole_power(*atom.base, whole));
      if (part != 0) rest[atom] = part;
    } else {
      rest[atom] = exponent;
    }
  }
  check_size(coefficient);
  Polynomial out;
  out.terms[std::move(rest)] = coefficient;
  return others.rational() == Rational(1) ? out : product(out, others);
}

Polynomial Algebra::product(const Polynomial& a, const Polynomial& b) {
  Polynomial out;
  for (const auto& [x, p] : a.terms)
    for (const auto& [y, q] : b.terms) {
      spend(1 + weight(x) + weight(y) + (bits(p) + bits(q)) / 256);
      Monomial both = x;
      for (const auto& [atom, exponent] : y) both[atom] += exponent;
      for (const auto& [monomial, coefficient] : normal(both, p * q).terms)
        add_term(out, monomial, coefficient);
      if (out.terms.size() > kMaxTerms) throw NoValue{};
    }
  return out;
}

/// p^exponent for an integer; a single term also has negative powers, unless a root is in it.
Polynomial Algebra::whole_power(const Polynomial& p, const Rational& exponent) {
  if (p.zero() && exponent <= 0) throw NoValue{};
  if (p.zero() || exponent == 0) return constant(p.zero() ? 0 : 1);
  if (p.terms.size() == 1) {
    const auto& [monomial, coefficient] = *p.terms.begin();
    const bool unit = abs(coefficient) == 1;
    if (abs(exponent) >
        (unit ? Rational(Integer(1) << 60) : Rational(kMaxBits / bits(coefficient))))
      throw NoValue{};
    Monomial raised = monomial;
    for (auto& [atom, e] : raised) e *= exponent;
    const auto times = static_cast<int64_t>(numerator(exponent));
    spend(1 + bits(coefficient) * (unit ? 1 : std::abs(times)) / 64);
    Rational value = coefficient;
    if (unit)
      value = coefficient > 0 || times % 2 == 0 ? 1 : -1;
    else
      value = Rational(pow(numerator(coefficient), static_cast<unsigned>(std::abs(times))),
                       pow(denominator(coefficient), static_cast<unsigned>(std::abs(times))));
    return normal(raised, times < 0 ? Rational(1 / value) : value);
  }
  if (exponent < 0 || exponent > 1000) throw NoValue{};
  Polynomial out = constant(1), square = p;
  for (auto n = static_cast<unsigned>(numerator(exponent)); n > 0; n /= 2) {
    if (n % 2 == 1) out = product(out, square);
    if (n > 1) square = product(square, square);
  }
  return out;
}

Ratio Algebra::quotient(const Polynomial& over, const Polynomial& under) {
  if (under.zero()) throw NoValue{};
  if (over.zero()) return ratio(0);
  Polynomial up = over, down = under;
  if (down.terms.size() == 1) {
    // 1 / r^e = r^(1−e) / base for a root r.
    Monomial monomial = down.terms.begin()->first;
    const Rational coefficient = down.terms.begin()->second;
    down = constant(1);
    for (auto& [atom, exponent] : monomial) {
      exponent = -exponent;
      if (atom.kind != Kind::kRoot) continue;
      exponent += 1;
      down = product(down, *atom.base);
    }
    up = product(up, normal(monomial, 1 / coefficient));
  }
  if (down.zero()) throw NoValue{};
  if (const Rational& leading = down.terms.begin()->second; leading != 1) {
    const Polynomial scale = constant(1 / leading);
    down = product(down, scale);
    up = product(up, scale);
  }
  if (up.terms == down.terms) return ratio(1);
  return {std::move(up), std::move(down)};
}

Ratio Algebra::add(const Ratio& a, const Ratio& b) {
  if (a.denominator.terms == b.denominator.terms)
    return quotient(sum(a.numerator, b.numerator), a.denominator);
  return quotient(sum(product(a.numerator, b.denominator), product(b.numerator, a.denominator)),
                  product(a.denominator, b.denominator));
}

Ratio Algebra::multiply(const Ratio& a, const Ratio& b) {
  return quotient(product(a.numerator, b.numerator), product(a.denominator, b.denominator));
}

Ratio Algebra::divide(const Ratio& a, const Ratio& b) {
  return quotient(product(a.numerator, b.denominator), product(a.denominator, b.numerator));
}

bool Algebra::equal(const Ratio& a, const Ratio& b) {
  const Polynomial left = product(a.numerator, b.denominator);
  return sum(left, product(constant(-1), product(b.numerator, a.denominator))).zero();
}

}  // namespace gdsd::algebra
