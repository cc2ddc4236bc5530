// Python's numbers and what its operators do to them: integers of any size, floats, complex numbers
// and the empty tuple, which is all that digits and + - * / ( ) . can make (Python 3.11).
#pragma once

#include <complex>
#include <optional>
#include <string_view>
#include <variant>

#include "gdsd/reward/rational.h"

namespace gdsd {

struct EmptyTuple {};

using PythonValue = std::variant<Integer, double, std::complex<double>, EmptyTuple>;

/// Integers that Python could hold but that would take long: beyond this many bits there is no value.
inline constexpr size_t kLargestPythonInteger = 1 << 14;

/// What `x operation y` gives, of + - * / // and **; nullopt where Python raises, and for an integer
/// of more than kLargestPythonInteger bits.
std::optional<PythonValue> python_apply(std::string_view operation, const PythonValue& x,
                                        const PythonValue& y);

/// -x, or nullopt where Python raises.
std::optional<PythonValue> python_negate(const PythonValue& x);

/// n / d rounded to the nearest float, halves to even; nullopt where Python raises OverflowError.
/// d must not be 0.
std::optional<double> python_divide(const Integer& n, const Integer& d);

/// abs(x - y), or nullopt where Python raises: for a tuple, and where a float overflows. For an
/// integer the nearest float, or infinity.
std::optional<double> python_distance(const PythonValue& x, int64_t y);

}  // namespace gdsd
