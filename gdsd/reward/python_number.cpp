// What Python's operators do, after the documentation of its numeric types and the C99 functions
// they call.
#include "gdsd/reward/python_number.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

namespace gdsd {
namespace {

using Complex = std::complex<double>;
using Value = std::optional<PythonValue>;

Value bounded(Integer n) {
  if (bits(n) > kLargestPythonInteger) return std::nullopt;
  return PythonValue(std::move(n));
}

/// ⌊n / d⌋
Integer floor_divide(const Integer& n, const Integer& d) {
  Integer quotient, rest;
  divide_qr(n, d, quotient, rest);
  if (rest != 0 && (rest < 0) != (d < 0)) --quotient;
  return quotient;
}

Value float_power(double x, double y);

Value power(const Integer& x, const Integer& y) {
  if (y < 0) {
    const auto a = python_divide(x, 1), b = python_divide(y, 1);
    return a && b ? float_power(*a, *b) : std::nullopt;
  }
  if (y == 0 || x == 1) return Integer(1);
  if (x == 0) return Integer(0);
  if (x == -1) return Integer(y % 2 == 0 ? 1 : -1);
  if (y > kLargestPythonInteger || (bits(x) - 1) * y > kLargestPythonInteger) return std::nullopt;
  return bounded(pow(x, static_cast<unsigned>(y)));
}

Value integers(std::string_view operation, const Integer& x, const Integer& y) {
  if (operation == "+") return bounded(x + y);
  if (operation == "-") return bounded(x - y);
  if (operation == "*") return bounded(x * y);
  if (operation == "**") return power(x, y);
  if (y == 0) return std::nullopt;
  if (operation == "//") return bounded(floor_divide(x, y));
  const auto quotient = python_divide(x, y);
  return quotient ? Value(*quotient) : std::nullopt;
}

double float_floor_divide(double x, double y) {
  double mod = std::fmod(x, y), quotient = (x - mod) / y;
  if (mod != 0 && (y < 0) != (mod < 0)) quotient -= 1;
  if (quotient == 0) return std::copysign(0.0, x / y);
  const double whole = std::floor(quotient);
  return quotient - whole > 0.5 ? whole + 1 : whole;
}

/// x / y, as Smith divides; y must not be 0.
Complex divide(Complex x, Complex y) {
  if (std::abs(y.real()) >= std::abs(y.imag())) {
    const double ratio = y.imag() / y.real(), d = y.real() + y.imag() * ratio;
    return {(x.real() + x.imag() * ratio) / d, (x.imag() - x.real() * ratio) / d};
  }
  if (std::abs(y.imag()) >= std::abs(y.real())) {
    const double ratio = y.real() / y.imag(), d = y.real() * ratio + y.imag();
    return {(x.real() * ratio + x.imag()) / d, (x.imag() * ratio - x.real()) / d};
  }
  const double nan = std::numeric_limits<double>::quiet_NaN();
  return {nan, nan};
}

Complex multiply(Complex x, Complex y) {
  return {x.real() * y.real() - x.imag() * y.imag(), x.real() * y.imag() + x.imag() * y.real()};
}

Complex whole_power(Complex x, int n) {
  Complex result = 1;
  for (Complex p = x; n > 0; n /= 2, p = multiply(p, p))
    if (n % 2) result = multiply(result, p);
  return result;
}

Value complex_power(Complex x, Complex y) {
  Complex result;
  if (y.imag() == 0 && y.real() == std::floor(y.real()) && std::abs(y.real()) <= 100) {
    const int n = static_cast<int>(y.real());
    result = whole_power(x, std::abs(n));
    if (n <= 0 && result == 0.0) return std::nullopt;
    if (n <= 0) result = divide(1, result);
  } else if (x == 0.0) {
    if (y.imag() != 0 || y.real() < 0) return std::nullopt;
    result = 0;
  } else {
    const double size = std::hypot(x.real(), x.imag()), angle = std::atan2(x.imag(), x.real());
    double length = std::pow(size, y.real()), phase = angle * y.real();
    if (y.imag() != 0) {
      length *= std::exp(-angle * y.imag());
      phase += y.imag() * std::log(size);
    }
    result = {length * std::cos(phase), length * std::sin(phase)};
  }
  if (std::isinf(result.real()) || std::isinf(result.imag())) return std::nullopt;
  return result;
}

Value float_power(double x, double y) {
  if (x == 0 && y < 0) return std::nullopt;
  if (std::isfinite(x) && x < 0 && std::isfinite(y) && y != std::floor(y))
    return complex_power(x, y);
  const double result = std::pow(x, y);
  if (std::isinf(result) && std::isfinite(x) && std::isfinite(y)) return std::nullopt;
  return result;
}

Value floats(std::string_view operation, double x, double y) {
  if (operation == "+") return x + y;
  if (operation == "-") return x - y;
  if (operation == "*") return x * y;
  if (operation == "**") return float_power(x, y);
  if (y == 0) return std::nullopt;
  return operation == "/" ? x / y : float_floor_divide(x, y);
}

Value complexes(std::string_view operation, Complex x, Complex y) {
  if (operation == "+") return x + y;
  if (operation == "-") return x - y;
  if (operation == "*") return multiply(x, y);
  if (operation == "**") return complex_power(x, y);
  if (operation == "/" && y != 0.0) return divide(x, y);
  return std::nullopt;
}

/// An integer or float as a float; nullopt where Python raises OverflowError.
std::optional<double> as_float(const PythonValue& x) {
  if (const auto* n = std::get_if<Integer>(&x)) return python_divide(*n, 1);
  return std::get<double>(x);
}

std::optional<Complex> as_complex(const PythonValue& x) {
  if (const auto* z = std::get_if<Complex>(&x)) return *z;
  return as_float(x);
}

template <class T>
bool either(const PythonValue& x, const PythonValue& y) {
  return std::holds_alternative<T>(x) || std::holds_alternative<T>(y);
}

/// () + () and () * 3 are (); there is nothing else to be done with a tuple.
Value tuples(std::string_view operation, const PythonValue& x, const PythonValue& y) {
  const bool both = std::holds_alternative<EmptyTuple>(x) && std::holds_alternative<EmptyTuple>(y);
  if (operation == "+" && both) return EmptyTuple{};
  const Integer* n = std::get_if<Integer>(std::holds_alternative<EmptyTuple>(x) ? &y : &x);
  constexpr auto kMost = std::numeric_limits<int64_t>::max(),
                 kLeast = std::numeric_limits<int64_t>::min();
  if (operation == "*" && n && *n <= kMost && *n >= kLeast) return EmptyTuple{};
  return std::nullopt;
}

}  // namespace

std::optional<double> python_divide(const Integer& n, const Integer& d) {
  constexpr int kDigits = std::numeric_limits<double>::digits, kLeast = -1074;
  if (n == 0) return d < 0 ? -0.0 : 0.0;
  const Integer a = abs(n), b = abs(d);
  // |n / d| is 2^exponent times a quotient of 55 or 56 bits, or of fewer below the normal numbers.
  const int exponent =
      std::max(static_cast<int>(bits(a)) - static_cast<int>(bits(b)) - (kDigits + 2), kLeast - 2);
  const Integer dividend = exponent < 0 ? Integer(a << -exponent) : a;
  const Integer divisor = exponent > 0 ? Integer(b << exponent) : b;
  Integer quotient, rest;
  divide_qr(dividend, divisor, quotient, rest);
  const uint64_t q = static_cast<uint64_t>(quotient) | (rest != 0);  // which only breaks a tie
  const int extra = std::max(static_cast<int>(std::bit_width(q)) - kDigits, kLeast - exponent);
  const uint64_t dropped = q & ((uint64_t{1} << extra) - 1), half = uint64_t{1} << (extra - 1);
  uint64_t whole = q >> extra;
  if (dropped > half || (dropped == half && whole % 2 == 1)) ++whole;
  const double size = std::ldexp(static_cast<double>(whole), exponent + extra);
  if (std::isinf(size)) return std::nullopt;
  return (n < 0) != (d < 0) ? -size : size;
}

Value python_apply(std::string_view operation, const PythonValue& x, const PythonValue& y) {
  if (either<EmptyTuple>(x, y)) return tuples(operation, x, y);
  if (either<Complex>(x, y)) {
    const auto a = as_complex(x), b = as_complex(y);
    return a && b ? complexes(operation, *a, *b) : std::nullopt;
  }
  if (either<double>(x, y)) {
    const auto a = as_float(x), b = as_float(y);
    return a && b ? floats(operation, *a, *b) : std::nullopt;
  }
  return integers(operation, std::get<Integer>(x), std::get<Integer>(y));
}

Value python_negate(const PythonValue& x) {
  if (const auto* n = std::get_if<Integer>(&x)) return Integer(-*n);
  if (const auto* f = std::get_if<double>(&x)) return -*f;
  if (const auto* z = std::get_if<Complex>(&x)) return -*z;
  return std::nullopt;
}

std::optional<double> python_distance(const PythonValue& x, int64_t y) {
  const Value difference = python_apply("-", x, Integer(y));
  if (!difference) return std::nullopt;
  if (const auto* n = std::get_if<Integer>(&*difference))
    return python_divide(abs(*n), 1).value_or(std::numeric_limits<double>::infinity());
  if (const auto* f = std::get_if<double>(&*difference)) return std::abs(*f);
  const auto& z = std::get<Complex>(*difference);
  const double size = std::hypot(z.real(), z.imag());
  if (std::isinf(size) && std::isfinite(z.real()) && std::isfinite(z.imag())) return std::nullopt;
  return size;
}

}  // namespace gdsd
