#include "gdsd/text/python_text.h"

#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

#include "gdsd/text/utf8.h"

namespace gdsd {
namespace {

struct Range {
  char32_t first, last;
};

template <size_t N>
bool in_any(const std::array<Range, N>& ranges, char32_t c) {
  return std::any_of(ranges.begin(), ranges.end(),
                     [&](Range r) { return r.first <= c && c <= r.last; });
}

constexpr std::array<Range, 10> kSpaces{{{0x9, 0xD},
                                         {0x1C, 0x20},
                                         {0x85, 0x85},
                                         {0xA0, 0xA0},
                                         {0x1680, 0x1680},
                                         {0x2000, 0x200A},
                                         {0x2028, 0x2029},
                                         {0x202F, 0x202F},
                                         {0x205F, 0x205F},
                                         {0x3000, 0x3000}}};

/// Unicode 14's Numeric_Type=Digit: digits that are no decimal digits, such as "²" and "④".
constexpr std::array<Range, 20> kOtherDigits{
    {{0xB2, 0xB3},       {0xB9, 0xB9},       {0x1369, 0x1371},   {0x19DA, 0x19DA},
     {0x2070, 0x2070},   {0x2074, 0x2079},   {0x2080, 0x2089},   {0x2460, 0x2468},
     {0x2474, 0x247C},   {0x2488, 0x2490},   {0x24EA, 0x24EA},   {0x24F5, 0x24FD},
     {0x24FF, 0x24FF},   {0x2776, 0x277E},   {0x2780, 0x2788},   {0x278A, 0x2792},
     {0x10A40, 0x10A43}, {0x10E60, 0x10E68}, {0x11052, 0x1105A}, {0x1F100, 0x1F10A}}};

/// No character: U+FFFD is neither space nor digit.
char32_t code_at(std::string_view text, size_t at, const Utf8Step& step) {
  return step.valid ? utf8_code(text.substr(at, step.length)) : U'\uFFFD';
}

bool is_decimal(char32_t c) {
  return utf8proc_category(static_cast<utf8proc_int32_t>(c)) == UTF8PROC_CATEGORY_ND;
}

/// ASCII for what float() reads: decimal digits of any script, underscores between digits left out.
std::optional<std::string> float_literal(std::string_view text) {
  std::string out;
  bool digit_before = false;
  for (size_t at = 0; at < text.size();) {
    const Utf8Step step = utf8_step(text, at);
    const char32_t c = code_at(text, at, step);
    at += step.length;
    const auto digit = decimal_digit(c);
    if (c == U'_') {
      const bool digit_after =
          at < text.size() && decimal_digit(code_at(text, at, utf8_step(text, at)));
      if (!digit_before || !digit_after) return std::nullopt;
    } else if (digit) {
      out += static_cast<char>('0' + *digit);
    } else if (c < 0x80) {
      out += static_cast<char>(c | (c >= 'A' && c <= 'Z' ? 0x20 : 0));
    } else {
      return std::nullopt;
    }
    digit_before = digit.has_value();
  }
  return out;
}

}  // namespace

bool is_python_space(char32_t c) { return in_any(kSpaces, c); }

std::optional<int> decimal_digit(char32_t c) {
  if (c < 0x80)
    return c >= '0' && c <= '9' ? std::optional(static_cast<int>(c - '0')) : std::nullopt;
  if (!is_decimal(c)) return std::nullopt;
  int before = 0;  // runs of decimal digits are 0 … 9, again and again
  while (is_decimal(c - static_cast<char32_t>(before) - 1)) ++before;
  return before % 10;
}

std::string_view python_lstrip(std::string_view text) {
  while (!text.empty()) {
    const Utf8Step step = utf8_step(text, 0);
    if (!is_python_space(code_at(text, 0, step))) break;
    text.remove_prefix(step.length);
  }
  return text;
}

std::string_view python_rstrip(std::string_view text) {
  while (!text.empty()) {
    size_t at = text.size() - 1;  // of the last character
    while (at > 0 && text.size() - at < 4 && (text[at] & 0xC0) == 0x80) --at;
    const Utf8Step step = utf8_step(text, at);
    if (at + step.length != text.size() || !is_python_space(code_at(text, at, step))) break;
    text = text.substr(0, at);
  }
  return text;
}

std::string_view python_strip(std::string_view text) { return python_rstrip(python_lstrip(text)); }

bool python_isdigit(std::string_view text) {
  for (size_t at = 0; at < text.size();) {
    const Utf8Step step = utf8_step(text, at);
    const char32_t c = code_at(text, at, step);
    if (!decimal_digit(c) && !in_any(kOtherDigits, c)) return false;
    at += step.length;
  }
  return !text.empty();
}

std::optional<double> python_float(std::string_view text) {
  const auto literal = float_literal(python_strip(text));
  if (!literal || literal->empty()) return std::nullopt;
  std::string_view rest = *literal;
  const bool negative = rest[0] == '-';
  if (rest[0] == '-' || rest[0] == '+') rest.remove_prefix(1);
  double value = 0;
  if (rest == "inf" || rest == "infinity") {
    value = std::numeric_limits<double>::infinity();
  } else if (rest == "nan") {
    value = std::numeric_limits<double>::quiet_NaN();
  } else {
    if (rest.empty() || (rest[0] != '.' && (rest[0] < '0' || rest[0] > '9'))) return std::nullopt;
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), value);
    if (end != rest.data() + rest.size()) return std::nullopt;
    if (error == std::errc::result_out_of_range)
      value = std::strtod(std::string(rest).c_str(), nullptr);  // 0 or infinity, as in Python
    else if (error != std::errc())
      return std::nullopt;
  }
  return negative ? -value : value;
}

size_t python_length(std::string_view text) {
  size_t n = 0;
  for (size_t at = 0; at < text.size(); ++n) at += utf8_step(text, at).length;
  return n;
}

std::string replace_all(std::string_view text, std::string_view from, std::string_view to) {
  std::string out;
  for (size_t at = 0;;) {
    const size_t next = text.find(from, at);
    out += text.substr(at, next - at);
    if (next == std::string_view::npos) return out;
    out += to;
    at = next + from.size();
  }
}

std::optional<std::string_view> last_between(std::string_view text, std::string_view open,
                                             std::string_view close) {
  std::optional<std::string_view> last;
  for (size_t at = 0;;) {
    const size_t begin = text.find(open, at);
    if (begin == std::string_view::npos) return last;
    const size_t from = begin + open.size(), end = text.find(close, from);
    if (end == std::string_view::npos) return last;
    last = text.substr(from, end - from);
    at = end + close.size();
  }
}

}  // namespace gdsd
