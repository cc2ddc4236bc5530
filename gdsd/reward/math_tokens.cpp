// Every pass over a text is linear in it: a closing mark is looked for once.
#include "gdsd/reward/math_tokens.h"

#include <algorithm>

#include "gdsd/text/ascii.h"
#include "gdsd/text/python_text.h"

namespace gdsd {
namespace {

constexpr auto kNone = std::string_view::npos;

bool space(char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; }

/// Where a mark occurs next, for places that only grow.
class Next {
 public:
  Next(std::string_view text, std::string_view mark) : text_(text), mark_(mark) {}

  size_t at_or_after(size_t from) {
    if (found_ == kUnknown || (found_ != kNone && found_ < from)) found_ = text_.find(mark_, from);
    return found_;
  }

 private:
  static constexpr size_t kUnknown = kNone - 1;
  std::string_view text_, mark_;
  size_t found_ = kUnknown;
};

/// The byte after a percent sign that comes next, or nullopt.
std::optional<size_t> after_percent(std::string_view text, size_t at) {
  while (at < text.size() && space(text[at])) ++at;
  for (std::string_view sign : {"\\%", "%", "percent", "Percent", "pct", "Pct"})
    if (text.substr(at).starts_with(sign)) return at + sign.size();
  return std::nullopt;
}

Token with_percent(std::string_view text, Token token, bool escaped) {
  const auto end = after_percent(text, token.end);
  if (!end || (!escaped && text[*end - 1] == '%' && text[*end - 2] == '\\')) return token;
  token.end = *end;
  token.answer.percent = true;
  return token;
}

/// The end of [+-]digits[.,digits] at `at`, or `at`.
size_t after_simple_number(std::string_view text, size_t at) {
  size_t end = at + (at < text.size() && text[at] == '-' ? 1 : 0);
  const size_t first = end;
  while (end < text.size() && is_digit(text[end])) ++end;
  if (end == first) return at;
  if (end + 1 < text.size() && (text[end] == '.' || text[end] == ',') && is_digit(text[end + 1]))
    for (++end; end < text.size() && is_digit(text[end]);) ++end;
  return end;
}

/// The end of \frac{number}{number} at `at`, or `at`.
size_t after_fraction(std::string_view text, size_t at) {
  size_t end = at + 5;
  for (int part = 0; part < 2; ++part) {
    if (end >= text.size() || text[end] != '{') return at;
    const size_t number = after_simple_number(text, end + 1);
    if (number == end + 1 || number >= text.size() || text[number] != '}') return at;
    end = number + 1;
  }
  return end;
}

/// Formulas with only "and", "or" or a comma between them as one list.
std::vector<Token> joined(std::string_view text, std::vector<Token> tokens) {
  std::vector<Token> out;
  int parts = 0;
  for (Token& token : tokens) {
    const size_t end = out.empty() ? kNone : out.back().end;
    const std::string_view between = end < token.begin && token.begin - end < 20
                                         ? python_strip(text.substr(end, token.begin - end))
                                         : "";
    if ((between == "and" || between == "or" || between == ",") && parts < 6) {
      out.back().answer.text += ";" + token.answer.text;
      out.back().end = token.end;
      ++parts;
    } else {
      out.push_back(std::move(token));
      parts = 1;
    }
  }
  return out;
}

/// The number that begins at `at`: 1,234.5 or 12.5 or 12,5 or .5 or 12.
std::optional<Token> number_at(std::string_view text, size_t at) {
  const size_t sign = at < text.size() && text[at] == '-' ? 1 : 0, first = at + sign;
  size_t end = first;
  const auto digits_at = [&](size_t from) {
    size_t to = from;
    while (to < text.size() && is_digit(text[to])) ++to;
    return to - from;
  };
  end += digits_at(first);
  std::string number(text.substr(at, end - at));
  const auto group = [&] {
    return end < text.size() && (text[end] == ',' || text[end] == ' ') && digits_at(end + 1) >= 3;
  };
  if (end > first && end - first <= 3 && group()) {
    for (; group(); end += 4) number += text.substr(end + 1, 3);
    if (end < text.size() && text[end] == '.' && digits_at(end + 1) > 0) {
      const size_t length = 1 + digits_at(end + 1);
      number += text.substr(end, length);
      end += length;
    }
  } else if (end < text.size() && (text[end] == '.' || (text[end] == ',' && end > first)) &&
             digits_at(end + 1) > 0 && (end > first || sign == 0)) {
    const size_t length = digits_at(end + 1);
    number += "." + std::string(text.substr(end + 1, length));
    end += 1 + length;
  }
  if (end == first) return std::nullopt;
  return with_percent(text, {at, end, {number}}, /*escaped=*/false);
}

/// The end of 1/2, 3 + 4 or (1+2)/3 at `at`: digits, spaces and signs, a sign among them; or `at`.
/// `seen` becomes the byte up to which there are only such characters.
size_t after_expression(std::string_view text, size_t at, size_t& seen) {
  const auto sign_length = [&](size_t i) -> size_t {
    if (std::string_view("+-*/^()").find(text[i]) != kNone) return 1;
    const std::string_view two = text.substr(i, 2);
    return two == "\u00d7" || two == "\u00f7" ? 2 : 0;
  };
  size_t end = at;
  for (std::string_view opening : {"-", "(", "-"})
    if (text.substr(end).starts_with(opening)) ++end;
  if (end >= text.size() || !is_digit(text[end])) return at;
  bool sign = false;
  for (; end < text.size() && end - at < 1000;) {
    const size_t length = sign_length(end);
    sign = sign || length > 0;
    if (length == 0 && !is_digit(text[end]) && text[end] != '.' && !space(text[end])) break;
    end += std::max<size_t>(length, 1);
  }
  seen = end;
  const bool loose = end < text.size() && std::string_view(",:$").find(text[end]) == kNone;
  size_t trimmed = end;
  while (trimmed > at && (space(text[trimmed - 1]) || text[trimmed - 1] == '.')) --trimmed;
  return sign && (!loose || trimmed < end) ? trimmed : at;
}

}  // namespace

std::vector<Token> formulas(std::string_view text) {
  std::vector<Token> tokens;
  Next dollar(text, "$"), dollars(text, "$$"), round(text, "\\)"), square(text, "\\]"),
      line(text, "\n");
  for (size_t at = 0; at < text.size();) {
    const std::string_view rest = text.substr(at);
    const char before = at > 0 ? text[at - 1] : '\0';
    size_t from = at, close = kNone, width = 0;
    if (rest.starts_with("$$") && before != '\\') {
      from = at + 2, close = dollars.at_or_after(from), width = 2;
    } else if (rest[0] == '$' && before != '\\' && !is_digit(before)) {
      from = at + 1, width = 1;
      for (close = dollar.at_or_after(from); close != kNone && text[close - 1] == '\\';)
        close = dollar.at_or_after(close + 1);
      if (close > line.at_or_after(from)) close = kNone;
    } else if (rest.starts_with("\\(") && before != '\\') {
      from = at + 2, close = round.at_or_after(from), width = 2;
      if (close > line.at_or_after(from)) close = kNone;
    } else if (rest.starts_with("\\[") && before != '\\') {
      from = at + 2, close = square.at_or_after(from), width = 2;
    } else if (rest.starts_with("\\frac")) {
      const size_t end = after_fraction(text, at), begin = at - (before == '-' ? 1 : 0);
      if (end > at) tokens.push_back({begin, end, {std::string(text.substr(begin, end - begin))}});
      at = std::max(end, at + 1);
      continue;
    }
    if (close == kNone || close == from) {
      ++at;
      continue;
    }
    Token token{at, close + width, {std::string(text.substr(from, close - from))}};
    tokens.push_back(with_percent(text, std::move(token), /*escaped=*/true));
    at = tokens.back().end;
  }
  return joined(text, std::move(tokens));
}

std::vector<Token> numbers(std::string_view text) {
  std::vector<Token> tokens;
  size_t past = 0;  // of what was looked through for an expression
  for (size_t at = 0; at < text.size(); ++at) {
    if (at > 0 && !space(text[at - 1]) && text[at - 1] != '=') continue;
    size_t from = at;
    if (text.substr(from).starts_with("**")) from += 2;
    if (from >= past)
      if (const size_t end = after_expression(text, from, past); end > from) {
        tokens.push_back({at, end, {std::string(text.substr(from, end - from))}});
        past = end;
      }
    for (std::string_view currency : {"$", "\u20ac", "\u00a3", "\u00a5"})
      if (text.substr(from).starts_with(currency)) from += currency.size();
    if (auto token = number_at(text, from)) {
      token->begin = at;
      at = token->end - 1;
      tokens.push_back(*std::move(token));
    }
  }
  return tokens;
}

}  // namespace gdsd
