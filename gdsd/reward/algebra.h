// Exact algebra for comparing answers: quotients of polynomials over the rationals, in symbols, π, e,
// i, radicals and functions of such quotients, kept in a normal form in which what is zero vanishes.
//
// Normal form: a prime has an exponent in (0, 1), i the exponent 1, the root of a polynomial an
// exponent in (0, 1) of that polynomial; what exceeds that is multiplied out. Radicals of distinct
// primes are independent over ℚ(i), so numbers in them are zero only if they vanish here. Nested
// radicals may be zero unseen: two answers are then called different, never equal. What is under an
// even root is taken to have one: x ≥ 0 where √x stands.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>

#include "gdsd/reward/rational.h"

namespace gdsd::algebra {

/// Thrown where there is no value (a division by zero), or none within the budget.
struct NoValue {};

struct Polynomial;

/// What monomials are made of.
struct Atom {
  enum class Kind {
    kImaginary,  // i
    kPrime,      // a prime, for radicals
    kPositive,   // π, e, 2^x: a number that is not rational, or a power of one, above zero
    kSymbol,     // x, or a function of something
    kRoot,       // a polynomial whose roots are taken
  };
  Kind kind;
  std::string name;                                  // a prime's digits; unique within a kind
  std::shared_ptr<const Polynomial> base = nullptr;  // of kRoot

  bool operator<(const Atom& other) const {
    return std::tie(kind, name) < std::tie(other.kind, other.name);
  }
  bool operator==(const Atom& other) const { return kind == other.kind && name == other.name; }
};

using Monomial = std::map<Atom, Rational>;  // exponents, none zero

struct Polynomial {
  std::map<Monomial, Rational> terms;  // none zero

  bool zero() const { return terms.empty(); }
  /// The value if it is a rational number.
  std::optional<Rational> rational() const;
};

/// numerator / denominator; the latter is not zero, and 1 if it could be made so.
struct Ratio {
  Polynomial numerator, denominator;

  std::optional<Rational> rational() const;
};

Polynomial constant(const Rational& value);
Ratio ratio(const Rational& value);

/// A power of one atom.
Polynomial single(Atom atom, const Rational& exponent = 1);
Ratio symbol(const std::string& name, Atom::Kind kind = Atom::Kind::kSymbol);

/// Arithmetic within a budget, which it shares among all its calls.
class Algebra {
 public:
  Ratio add(const Ratio& a, const Ratio& b);
  Ratio multiply(const Ratio& a, const Ratio& b);
  Ratio divide(const Ratio& a, const Ratio& b);
  Ratio negate(const Ratio& a) { return multiply(a, ratio(-1)); }
  bool equal(const Ratio& a, const Ratio& b);

  /// base^exponent; the real root for an odd root of a negative number.
  Ratio power(const Ratio& base, const Ratio& exponent);
  Ratio root(const Ratio& base, const Rational& degree);

  Ratio absolute(const Ratio& x);
  Ratio natural_log(const Ratio& x);
  Ratio sine(const Ratio& x);
  Ratio cosine(const Ratio& x);
  Ratio factorial(const Ratio& x);
  Ratio binomial(const Ratio& n, const Ratio& k);
  /// Another function, of which nothing is known.
  Ratio function(const std::string& name, const Ratio& x);

  /// Takes `units` off the budget; throws NoValue when it is used up.
  void spend(size_t units);

 private:
  /// A name for the normal form: equal names, equal values.
  std::string name_of(const Polynomial& p);
  std::string name_of(const Ratio& r);

  Polynomial sum(const Polynomial& a, const Polynomial& b);
  Polynomial product(const Polynomial& a, const Polynomial& b);
  Polynomial normal(const Monomial& monomial, Rational coefficient);
  Polynomial whole_power(const Polynomial& p, const Rational& exponent);
  Ratio quotient(const Polynomial& numerator, const Polynomial& denominator);
  Polynomial root(const Polynomial& p, const Integer& degree);
  Polynomial root_of_monomial(const Monomial& monomial, const Integer& degree);
  std::optional<Polynomial> denested(const Polynomial& p);
  Ratio symbolic_power(const Ratio& base, const Polynomial& exponent);
  std::map<Integer, int> factors(Integer n);

  size_t left_ = 60000;  // a product of two small terms is three units or so
};

}  // namespace gdsd::algebra
