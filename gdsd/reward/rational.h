// Numbers without rounding and without a limit to their size.
#pragma once

#include <boost/multiprecision/cpp_int.hpp>

namespace gdsd {

using Integer = boost::multiprecision::cpp_int;
using Rational = boost::multiprecision::cpp_rational;  // in lowest terms, denominator > 0

/// The length of |n| in bits, 0 for 0.
inline size_t bits(const Integer& n) { return n == 0 ? 0 : msb(n < 0 ? Integer(-n) : n) + 1; }

}  // namespace gdsd
