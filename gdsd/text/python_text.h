// Texts as Python's str methods read them, Unicode included: what the released parsers are made of.
// Texts are UTF-8; bytes that are none are characters that are nothing.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace gdsd {

/// str.isspace() of one character.
bool is_python_space(char32_t c);

/// The value of a decimal digit (category Nd: what \d matches and int() reads), or nullopt.
std::optional<int> decimal_digit(char32_t c);

/// str.strip(), str.lstrip() and str.rstrip().
std::string_view python_strip(std::string_view text);
std::string_view python_lstrip(std::string_view text);
std::string_view python_rstrip(std::string_view text);

/// str.isdigit(): not empty, and every character is a digit ("²" is one, "½" is not).
bool python_isdigit(std::string_view text);

/// float(text): white space around, underscores between digits, "inf", "nan", exponents; nullopt
/// where Python raises ValueError.
std::optional<double> python_float(std::string_view text);

/// The number of characters: len().
size_t python_length(std::string_view text);

/// The text with every `from` replaced by `to`, left to right: str.replace().
std::string replace_all(std::string_view text, std::string_view from, std::string_view to);

/// What stands between the last `open` and the first `close` after it, or nullopt: the answer of
/// re.findall(open + "(.*?)" + close, text, DOTALL)[-1] for tags that do not overlap.
std::optional<std::string_view> last_between(std::string_view text, std::string_view open,
                                             std::string_view close);

}  // namespace gdsd
