// Arithmetic as Python's eval() sees it, which is what the released countdown rewards call: "2**3",
// "7//2", "3.+.5" and "()" mean something, "07" and "1 2" do not, and "/" rounds.
#pragma once

#include <optional>
#include <string_view>

#include "gdsd/reward/python_number.h"

namespace gdsd {

/// Bytes; with kLargestPythonInteger, what bounds the time that a hostile text can take, a tenth of a
/// second: "30**100**93" has no value here, where Python would compute for ever.
inline constexpr size_t kLongestPythonExpression = 10000;

/// eval(text.strip()) of Python 3.11 for texts of digits, + - * / ( ) . and white space; nullopt where it
/// raises, for other characters (so for digits that are not ASCII, as in Python), for "...", of which
/// nothing can be made, and beyond the bounds.
std::optional<PythonValue> python_eval(std::string_view text);

}  // namespace gdsd
