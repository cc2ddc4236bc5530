// Rewrites an answer so that the parser meets one spelling of each thing.
#include <algorithm>

#include "gdsd/reward/math_value.h"
#include "gdsd/text/ascii.h"
#include "gdsd/text/python_text.h"

namespace gdsd::algebra {
namespace {

constexpr auto kNone = std::string_view::npos;

/// The command at `at`, "\frac", without what follows; one character after the backslash if that is
/// no letter.
std::string_view command_at(std::string_view text, size_t at) {
  size_t end = at + 1;
  while (end < text.size() && is_letter(text[end])) ++end;
  return text.substr(at, std::max(end, std::min(at + 2, text.size())) - at);
}

/// What is written in place of a command, if it is one of several spellings.
std::optional<std::string_view> respelled(std::string_view command) {
  using Pair = std::pair<std::string_view, std::string_view>;
  static constexpr Pair kSpellings[] = {
      {"\\dfrac", "\\frac"},
      {"\\tfrac", "\\frac"},
      {"\\cfrac", "\\frac"},
      {"\\mathrm", "\\text"},
      {"\\mathbf", "\\text"},
      {"\\mathit", "\\text"},
      {"\\textbf", "\\text"},
      {"\\textit", "\\text"},
      {"\\textrm", "\\text"},
      {"\\mbox", "\\text"},
      {"\\textnormal", "\\text"},
      {"\\left", ""},
      {"\\right", ""},
      {"\\displaystyle", ""},
      {"\\$", ""},
      {"\\,", " "},
      {"\\;", " "},
      {"\\:", " "},
      {"\\ ", " "},
      {"\\quad", " "},
      {"\\qquad", " "},
      {"\\lbrace", "\\{"},
      {"\\rbrace", "\\}"},
      {"\\lvert", "|"},
      {"\\rvert", "|"},
      {"\\vert", "|"},
      {"\\leq", "\\le"},
      {"\\leqslant", "\\le"},
      {"\\geq", "\\ge"},
      {"\\geqslant", "\\ge"},
      {"\\neq", "\\ne"},
      {"\\lt", "<"},
      {"\\gt", ">"},
      {"\\degree", "^\\circ"},
      {"\\dbinom", "\\binom"},
      {"\\tbinom", "\\binom"},
      {"\\varnothing", "\\emptyset"},
  };
  for (const auto& [from, to] : kSpellings)
    if (command == from) return to;
  return std::nullopt;
}

/// Commands respelled; dollars, "\!" with the spaces after it, and degrees left out.
std::string with_one_spelling(std::string_view text) {
  const bool matrix = text.find("matrix") != kNone;
  std::string out;
  for (size_t at = 0; at < text.size();) {
    if (text[at] != '\\') {
      if (text[at] != '$')
        out += text[at] == '~' || text[at] == '\n' || text[at] == '\t' ? ' ' : text[at];
      ++at;
      continue;
    }
    const std::string_view command = command_at(text, at);
    at += command.size();
    if (command == "\\!") {
      while (at < text.size() && text[at] == ' ') ++at;
    } else if (command == "\\\\" && !matrix && at < text.size() && is_letter(text[at])) {
      --at;  // a backslash that was doubled
    } else {
      out += respelled(command).value_or(command);
    }
  }
  for (const char* degree : {"^{\\circ}", "^\\circ", "^{ \\circ}", "^ \\circ", "\u00b0"})
    out = replace_all(out, degree, "");
  return replace_all(out, "{,}", ",");
}

/// "and" and "or", also as \text{ and }, as ";".
std::string with_semicolons(std::string_view text) {
  std::string out;
  for (size_t at = 0; at < text.size();) {
    size_t from = at, end = at;
    const bool in_text = text.substr(at).starts_with("\\text{");
    if (in_text) from += 6;
    while (in_text && from < text.size() && text[from] == ' ') ++from;
    const std::string_view word = text.substr(from);
    if (word.starts_with("and")) end = from + 3;
    if (word.starts_with("or")) end = from + 2;
    while (in_text && end > at && end < text.size() && text[end] == ' ') ++end;
    const bool before = at > 0 && (is_letter(text[at - 1]) || text[at - 1] == '\\');
    const bool closed = in_text ? end < text.size() && text[end] == '}'
                                : !before && (end == text.size() || !is_letter(text[end]));
    if (end > at && closed) {
      out += ';';
      at = end + (in_text ? 1 : 0);
    } else {
      out += text[at++];
    }
  }
  return out;
}

/// Whether any word of a text is one that changes a number before it.
bool matters(std::string_view text) {
  while (!(text = python_strip(text)).empty()) {
    const size_t end = std::min(text.find(' '), text.size());
    if (quantity(text.substr(0, end))) return true;
    text.remove_prefix(end);
  }
  return false;
}

/// Without units: \text{…} at the end, and an exponent of it, as long as something is before it.
std::string_view without_units(std::string_view text) {
  for (;;) {
    text = python_strip(text);
    std::string_view rest = text;
    for (const char* power : {"^2", "^3", "^{2}", "^{3}"})
      if (rest.ends_with(power)) {
        rest.remove_suffix(std::string_view(power).size());
        break;
      }
    if (!rest.ends_with('}')) return text;
    const size_t open = rest.rfind("\\text");
    if (open == kNone) return text;
    const size_t brace = rest.find_first_not_of(' ', open + 5);
    if (brace == kNone || rest[brace] != '{' || rest.find('}', brace) != rest.size() - 1 ||
        matters(rest.substr(brace + 1, rest.size() - brace - 2)))
      return text;
    rest = python_strip(rest.substr(0, open));
    if (rest.empty() || rest.ends_with('=') || rest.ends_with(',') || rest.ends_with(';'))
      return text;
    text = rest;
  }
}

/// The last side of a = b = c: more than one equation, no list of them.
std::string_view last_side(std::string_view text) {
  if (text.find_first_of(",;") != kNone || std::count(text.begin(), text.end(), '=') < 2)
    return text;
  return text.substr(text.rfind('=') + 1);
}

}  // namespace

std::optional<Ratio> quantity(std::string_view text) {
  static constexpr std::pair<std::string_view, int> kNumbers[] = {{"dozen", 12},
                                                                  {"hundred", 100},
                                                                  {"thousand", 1000},
                                                                  {"million", 1000000},
                                                                  {"billion", 1000000000}};
  for (const auto& [name, value] : kNumbers)
    if (text == name) return ratio(value);
  std::string day;
  for (char c : text)
    if (c != '.') day += static_cast<char>(c | 32);
  if (day != "am" && day != "pm") return std::nullopt;
  return symbol("\\text " + day);
}

std::string cleaned(std::string_view answer) {
  const std::string text = with_semicolons(with_one_spelling(python_strip(answer)));
  return std::string(python_strip(without_units(last_side(text))));
}

}  // namespace gdsd::algebra
