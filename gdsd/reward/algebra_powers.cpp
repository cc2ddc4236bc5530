// Powers and roots.
#include <boost/multiprecision/integer.hpp>

#include "gdsd/reward/algebra.h"

namespace gdsd::algebra {
namespace {

using Kind = Atom::Kind;

bool whole(const Rational& q) { return denominator(q) == 1; }

bool even(const Rational& q) { return whole(q) && numerator(q) % 2 == 0; }

/// The largest rational c > 0 for which all coefficients of p are integers times c.
Rational content(const Polynomial& p) {
  Integer over = 0, under = 1;
  for (const auto& [monomial, coefficient] : p.terms) {
    over = gcd(over, Integer(abs(numerator(coefficient))));
    under = lcm(under, Integer(denominator(coefficient)));
  }
  return {over, under};
}

/// The prime p of the monomial ln p.
std::optional<Integer> prime_of_log(const Monomial& monomial) {
  if (monomial.size() != 1 || monomial.begin()->second != 1) return std::nullopt;
  const Atom& atom = monomial.begin()->first;
  if (atom.kind != Kind::kPositive || !atom.name.starts_with("ln ")) return std::nullopt;
  return Integer(atom.name.substr(3));
}

}  // namespace

/// Of n > 0. A factor above 2^32 may be composite, but is not a square.
std::map<Integer, int> Algebra::factors(Integer n) {
  std::map<Integer, int> found;
  for (unsigned p = 2; p < 65536 && Integer(p) * p <= n; p += 1 + p % 2) {
    if (p % 256 == 1) spend(1 + msb(n) / 64);
    for (; n % p == 0; n /= p) ++found[p];
  }
  if (n == 1) return found;
  const Integer square_root = sqrt(n);
  if (square_root * square_root == n)
    found[square_root] += 2;
  else
    ++found[n];
  return found;
}

/// The root of a product of atoms: of each where it has one without a choice of sign, of the others
/// together.
Polynomial Algebra::root_of_monomial(const Monomial& monomial, const Integer& degree) {
  Monomial taken;
  Polynomial others = constant(1);
  for (const auto& [atom, exponent] : monomial) {
    const Rational part = exponent / Rational(degree);
    const bool positive = atom.kind == Kind::kPrime || atom.kind == Kind::kPositive;
    // x^(1/2) has a value where x ≥ 0 only; (x^2)^(1/2) is |x|.
    const bool variable = atom.kind == Kind::kSymbol && atom.name.find(' ') == std::string::npos;
    const bool safe =
        positive || (variable && (degree % 2 == 1 || even(part) || numerator(exponent) % 2 != 0));
    if (safe)
      taken[atom] = part;
    else
      others = product(others, single(atom, exponent));
  }
  const Polynomial out = normal(taken, 1);
  if (others.rational()) return out;
  const Atom rest{.kind = Kind::kRoot,
                  .name = name_of(others),
                  .base = std::make_shared<const Polynomial>(others)};
  return product(out, single(rest, Rational(1, degree)));
}

/// √(a + b√c) as √x + √y, where x and y are rational: a² − b²c is a square.
std::optional<Polynomial> Algebra::denested(const Polynomial& p) {
  if (p.terms.size() != 2) return std::nullopt;
  const auto constant_term = p.terms.find({});
  if (constant_term == p.terms.end() || constant_term->second <= 0) return std::nullopt;
  const auto& radical =
      *(constant_term == p.terms.begin() ? std::next(p.terms.begin()) : p.terms.begin());
  Polynomial term;
  term.terms.insert(radical);
  for (const auto& [atom, exponent] : radical.first)
    if (atom.kind != Kind::kPrime) return std::nullopt;
  const auto squared = product(term, term).rational();
  if (!squared) return std::nullopt;
  const Rational a = constant_term->second, difference = a * a - *squared;
  if (difference < 0) return std::nullopt;
  const auto d = root(constant(difference), 2).rational();
  if (!d) return std::nullopt;
  const Polynomial x = root(constant((a + *d) / 2), 2), y = root(constant((a - *d) / 2), 2);
  return sum(x, product(y, constant(radical.second > 0 ? 1 : -1)));
}

Polynomial Algebra::root(const Polynomial& p, const Integer& degree) {
  if (p.zero()) return p;
  Rational size = content(p);
  Polynomial rest = product(p, constant(1 / size));
  const bool one_term = rest.terms.size() == 1;
  Polynomial sign = constant(1);
  if (one_term && rest.terms.begin()->second < 0 && (degree % 2 == 1 || rest.rational())) {
    rest = product(rest, constant(-1));
    if (degree % 2 == 1)
      sign = constant(-1);
    else if (degree == 2)
      sign = single({.kind = Kind::kImaginary, .name = "i"});
    else
      throw NoValue{};  // which of the complex roots is meant?
  }
  Monomial primes;
  for (const auto& [prime, times] : factors(numerator(size)))
    primes[{.kind = Kind::kPrime, .name = prime.str()}] += Rational(times, degree);
  for (const auto& [prime, times] : factors(denominator(size)))
    primes[{.kind = Kind::kPrime, .name = prime.str()}] -= Rational(times, degree);
  const Polynomial outer = product(sign, normal(primes, 1));
  if (rest.terms.size() == 1 && rest.terms.begin()->second > 0)
    return product(outer, root_of_monomial(rest.terms.begin()->first, degree));
  if (degree == 2)
    if (const auto simpler = denested(p)) return *simpler;
  const Atom inner{
      .kind = Kind::kRoot, .name = name_of(rest), .base = std::make_shared<const Polynomial>(rest)};
  return product(outer, single(inner, Rational(1, degree)));
}

Ratio Algebra::root(const Ratio& base, const Rational& degree) {
  if (!whole(degree) || degree < 1 || degree > 100) throw NoValue{};
  if (degree == 1) return base;
  if (base.denominator.rational() == Rational(1))
    return {root(base.numerator, numerator(degree)), constant(1)};
  return symbol("root " + degree.str() + " of " + name_of(base));
}

/// base^exponent for an exponent that is no number: 2^(n+1) = 2 · 2^n, each 2^n an atom.
Ratio Algebra::symbolic_power(const Ratio& base, const Polynomial& exponent) {
  const bool is_e = equal(base, symbol("e", Kind::kPositive));
  Ratio out = ratio(1);
  for (const auto& [monomial, coefficient] : exponent.terms) {
    Polynomial unit;
    unit.terms[monomial] = 1;
    const std::string above = "^" + name_of(unit);
    const auto number = base.rational();
    if (monomial.empty()) {
      out = multiply(out, power(base, ratio(coefficient)));
    } else if (number && *number > 0) {
      Monomial atoms;
      for (const auto& [prime, times] : factors(numerator(*number)))
        atoms[{.kind = Kind::kPositive, .name = prime.str() + above}] += times * coefficient;
      for (const auto& [prime, times] : factors(denominator(*number)))
        atoms[{.kind = Kind::kPositive, .name = prime.str() + above}] -= times * coefficient;
      out = multiply(out, {normal(atoms, 1), constant(1)});
    } else if (is_e && prime_of_log(monomial)) {
      out = multiply(out, power(ratio(Rational(*prime_of_log(monomial))), ratio(coefficient)));
    } else if (is_e) {
      const Atom atom{.kind = Kind::kPositive, .name = "e" + above};
      out = multiply(out, {single(atom, coefficient), constant(1)});
    } else {
      out = multiply(out, symbol(name_of(base) + above + "*" + coefficient.str()));
    }
  }
  return out;
}

Ratio Algebra::power(const Ratio& base, const Ratio& exponent) {
  const auto number = exponent.rational();
  if (!number) {
    if (exponent.denominator.rational() != Rational(1)) throw NoValue{};
    return symbolic_power(base, exponent.numerator);
  }
  if (!whole(*number))
    return power(root(base, Rational(denominator(*number))), ratio(Rational(numerator(*number))));
  if (*number < 0) return power(divide(ratio(1), base), ratio(-*number));
  if (*number == 0 && base.numerator.zero()) throw NoValue{};
  return quotient(whole_power(base.numerator, *number), whole_power(base.denominator, *number));
}

}  // namespace gdsd::algebra
