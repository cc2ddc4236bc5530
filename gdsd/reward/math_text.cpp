#include "gdsd/reward/math_text.h"

#include <vector>

#include "gdsd/text/python_text.h"
#include "gdsd/text/utf8.h"

namespace gdsd {
namespace {

constexpr auto kNone = std::string_view::npos;
constexpr std::string_view kBoxed = "\\boxed";

/// The byte after the brace that closes the first one at or after `from`; npos if none does.
size_t end_of_braces(std::string_view text, size_t from) {
  int open = 0;
  for (size_t at = from; at < text.size(); ++at) {
    if (text[at] == '{') ++open;
    if (text[at] == '}' && --open == 0) return at + 1;
  }
  return kNone;
}

/// Splits at every `separator`.
std::vector<std::string_view> split(std::string_view text, std::string_view separator) {
  std::vector<std::string_view> parts;
  for (size_t at = 0;;) {
    const size_t end = text.find(separator, at);
    parts.push_back(text.substr(at, end - at));
    if (end == kNone) return parts;
    at = end + separator.size();
  }
}

/// The first character of `text` that is not empty.
std::string_view first_character(std::string_view text) {
  return text.substr(0, utf8_step(text, 0).length);
}

/// "\sqrt3" → "\sqrt{3}"; nullopt if nothing follows a root.
std::optional<std::string> with_braced_roots(std::string_view text) {
  const auto parts = split(text, "\\sqrt");
  std::string out(parts[0]);
  for (size_t i = 1; i < parts.size(); ++i) {
    if (parts[i].empty()) return std::nullopt;
    const std::string_view argument = first_character(parts[i]);
    if (argument == "{")
      out.append("\\sqrt").append(parts[i]);
    else
      out.append("\\sqrt{").append(argument).append("}").append(parts[i].substr(argument.size()));
  }
  return out;
}

/// "\frac12" → "\frac{1}{2}" and "\frac1{72}" → "\frac{1}{72}"; the text itself if less than two
/// characters follow a \frac, nullopt if none does.
std::optional<std::string> with_braced_fractions(std::string_view text) {
  const auto parts = split(text, "\\frac");
  std::string out(parts[0]);
  for (size_t i = 1; i < parts.size(); ++i) {
    const std::string_view part = parts[i];
    out += "\\frac";
    if (part.empty()) return std::nullopt;
    if (part[0] == '{') {
      out += part;
      continue;
    }
    const std::string_view over = first_character(part);
    if (over.size() == part.size()) return std::string(text);
    const std::string_view under = first_character(part.substr(over.size()));
    const std::string_view rest = part.substr(over.size() + under.size());
    out.append("{").append(over).append("}");
    if (under == "{")
      out.append(under).append(rest);
    else
      out.append("{").append(under).append("}").append(rest);
  }
  return out;
}

/// str(int(text)) of a text without white space; nullopt where int() raises.
std::optional<std::string> integer(std::string_view text) {
  std::string digits;
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  bool after_digit = false;
  for (size_t at = 0; at < text.size();) {
    const Utf8Step step = utf8_step(text, at);
    const auto digit =
        step.valid ? decimal_digit(utf8_code(text.substr(at, step.length))) : std::nullopt;
    if (digit)
      digits += static_cast<char>('0' + *digit);
    else if (text[at] != '_' || !after_digit)
      return std::nullopt;
    after_digit = digit.has_value();
    at += step.length;
  }
  if (!after_digit) return std::nullopt;
  digits.erase(0, std::min(digits.find_first_not_of('0'), digits.size() - 1));
  return negative && digits != "0" ? "-" + digits : digits;
}

/// "1/2" → "\frac{1}{2}" for two integers as Python prints them; nullopt for two parts that are not
/// integers.
std::optional<std::string> with_slash_as_fraction(const std::string& text) {
  const auto parts = split(text, "/");
  if (parts.size() != 2) return text;
  const auto over = integer(parts[0]), under = integer(parts[1]);
  if (!over || !under) return std::nullopt;
  if (text != *over + "/" + *under) return text;
  return "\\frac{" + *over + "}{" + *under + "}";
}

/// What needs no decision: white space, spellings and signs.
std::string without_signs(std::string_view answer) {
  std::string text(answer);
  for (const auto& [from, to] :
       std::initializer_list<std::pair<const char*, const char*>>{{"\n", ""},
                                                                  {"\\!", ""},
                                                                  {"\\\\", "\\"},
                                                                  {"tfrac", "frac"},
                                                                  {"dfrac", "frac"},
                                                                  {"\\left", ""},
                                                                  {"\\right", ""},
                                                                  {"^{\\circ}", ""},
                                                                  {"^\\circ", ""},
                                                                  {"\\$", ""}})
    text = replace_all(text, from, to);
  return text;
}

}  // namespace

std::optional<std::string> last_boxed(std::string_view text) {
  if (const size_t spaced = text.rfind("\\boxed "); spaced != kNone) {
    const std::string_view rest = text.substr(spaced + 7);
    return "\\boxed " + std::string(rest.substr(0, rest.find('$')));
  }
  size_t begin = text.rfind(kBoxed);
  if (begin == kNone) begin = text.rfind("\\fbox");
  if (begin == kNone) return std::string(text);
  const size_t end = end_of_braces(text, begin);
  if (end == kNone) return std::nullopt;
  return std::string(text.substr(begin, end - begin));
}

std::string remove_boxed(std::string_view boxed) {
  if (boxed.starts_with("\\boxed ")) return std::string(boxed.substr(7));
  if (boxed.starts_with("\\boxed{") && boxed.ends_with('}'))
    return std::string(boxed.substr(7, boxed.size() - 8));
  return std::string(boxed);
}

std::optional<std::string> rewritten(std::string_view answer, StringRule rule) {
  const bool raises = rule == StringRule::kEvaluation;
  std::string text = without_signs(answer);
  const auto before_units = split(text, "\\text{ ");
  if (raises && before_units.size() > 2) return std::nullopt;
  text = std::string(before_units[0]);
  text = replace_all(text, "\\%", "");
  text = replace_all(text, " .", " 0.");
  text = replace_all(text, "{.", "{0.");
  if (text.empty()) return text;
  if (text[0] == '.') text.insert(0, "0");
  if (const auto sides = split(text, "="); sides.size() == 2 && python_length(sides[0]) <= 2)
    text = std::string(sides[1]);
  const auto roots = with_braced_roots(text);
  if (!roots && raises) return std::nullopt;
  text = replace_all(roots.value_or(text), " ", "");
  const auto fractions = with_braced_fractions(text);
  if (!fractions && raises) return std::nullopt;
  text = fractions.value_or(text);
  if (text == "0.5") text = "\\frac{1}{2}";
  const auto slash = with_slash_as_fraction(text);
  if (!slash && raises) return std::nullopt;
  return slash.value_or(text);
}

bool string_equivalent(const std::optional<std::string>& a, const std::optional<std::string>& b,
                       StringRule rule) {
  if (!a || !b) return !a && !b;
  const auto x = rewritten(*a, rule), y = rewritten(*b, rule);
  return x && y ? x == y : a == b;
}

}  // namespace gdsd
