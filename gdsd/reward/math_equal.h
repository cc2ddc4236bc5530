// Whether two answers, written in LaTeX or plainly, are the same mathematics: \frac12, 1/2 and 0.5;
// \sqrt8 and 2\sqrt2; (x+1)^2 and x^2+2x+1; x<5 and 5>x.
#pragma once

#include <string_view>

namespace gdsd {

/// True if both are read and their difference is exactly zero: with rationals, and with radicals, π, e,
/// i and functions as symbols that simplify; nothing is compared in floating point. A decimal of six
/// places and six digits or more equals what rounds to it: 0.333333 and 1/3. Also true for two texts that are not
/// read but the same. Lists without brackets and sets have no order, unless one alone says
/// whose values they are (x=1, y=2); tuples, intervals and matrices do. Never true for a blank text. Total on any bytes, in time bounded by budgets: what needs more
/// terms, digits or depth than they allow is not read. docs/tasks.md lists what is.
bool math_equal(std::string_view a, std::string_view b);

}  // namespace gdsd
