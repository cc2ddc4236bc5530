#include "gdsd/reward/math_answer.h"

#include <algorithm>
#include <tuple>

#include "gdsd/reward/math_equal.h"
#include "gdsd/reward/math_tokens.h"
#include "gdsd/reward/math_value.h"
#include "gdsd/text/python_text.h"

namespace gdsd {
namespace {

constexpr auto kNone = std::string_view::npos;
constexpr size_t kMaxAnswers = 8;

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 32) : c; }

/// The ends of the words "answer", in any case.
std::vector<size_t> anchors(std::string_view text) {
  constexpr std::string_view kWord = "answer";
  std::vector<size_t> ends;
  for (size_t at = 0; at + kWord.size() <= text.size(); ++at)
    if (std::equal(kWord.begin(), kWord.end(), text.begin() + at,
                   [](char a, char b) { return a == lower(b); }))
      ends.push_back(at + kWord.size());
  return ends;
}

/// The first token within 50 bytes after each "answer".
std::vector<Token> anchored(const std::vector<Token>& tokens, const std::vector<size_t>& ends) {
  constexpr size_t kReach = 50;
  std::vector<Token> out;
  for (size_t end : ends) {
    const auto first = std::lower_bound(tokens.begin(), tokens.end(), end,
                                        [](const Token& t, size_t at) { return t.begin < at; });
    if (first != tokens.end() && first->begin - end <= kReach) out.push_back(*first);
  }
  return out;
}

/// The last first, of two that end together the longer.
void append_last(std::vector<Answer>& out, std::vector<Token> tokens) {
  std::sort(tokens.begin(), tokens.end(), [](const Token& a, const Token& b) {
    return std::make_tuple(b.end, a.begin) < std::make_tuple(a.end, b.begin);
  });
  for (Token& token : tokens)
    if (out.size() < kMaxAnswers) out.push_back(std::move(token.answer));
}

/// The byte of the brace that closes the one at `open`, or npos.
size_t closing(std::string_view text, size_t open) {
  int depth = 0;
  for (size_t at = open; at < text.size(); ++at) {
    if (text[at] == '{') ++depth;
    if (text[at] == '}' && --depth == 0) return at;
  }
  return kNone;
}

/// What the last box holds, with the boxes before it that only "and", "or" or a comma separates.
std::optional<std::string> boxes(std::string_view text) {
  const size_t first = text.find("\\boxed{"), last = text.rfind('}');
  if (first == kNone || last == kNone || last < first + 7) return std::nullopt;
  std::string_view rest = text.substr(first, last + 1 - first);
  std::string all;
  for (int count = 0; count < 8; ++count) {
    const size_t boxed = rest.rfind("\\boxed"), framed = rest.rfind("\\fbox");
    if (boxed == kNone && framed == kNone) break;
    const bool frame = boxed == kNone || (framed != kNone && framed > boxed);
    const size_t begin = frame ? framed : boxed;
    const size_t open = rest.find_first_not_of(" \n\t", begin + (frame ? 5 : 6));
    if (open == kNone) break;
    const size_t close = rest[open] == '{' ? closing(rest, open) : kNone;
    if (close == kNone) {
      if (count == 0) all = rest.substr(open);
      break;
    }
    const std::string_view after = python_strip(rest.substr(close + 1));
    if (count > 0 && after != "and" && after != "or" && after != ",") break;
    const std::string content(python_strip(rest.substr(open + 1, close - open - 1)));
    all = count == 0 ? content : content + "," + all;
    rest = rest.substr(0, begin);
  }
  return all;
}

}  // namespace

std::vector<Answer> answers(std::string_view text) {
  std::vector<Answer> out;
  if (const auto box = boxes(text)) out.push_back({*box});
  const std::vector<Token> in_formulas = formulas(text);
  std::vector<Token> all = numbers(text);
  const auto ends = anchors(text);
  std::vector<Token> near = anchored(all, ends);
  for (Token& token : anchored(in_formulas, ends)) near.push_back(std::move(token));
  append_last(out, std::move(near));
  all.insert(all.end(), in_formulas.begin(), in_formulas.end());
  append_last(out, std::move(all));
  return out;
}

bool answers_agree(std::string_view response, std::string_view gold) {
  const auto a = answers(response), b = answers(gold);
  if (a.empty() || b.empty()) return false;
  const std::string first = algebra::cleaned(a[0].text);
  if (!first.empty() && first == algebra::cleaned(b[0].text)) return true;
  const auto read = [](const std::vector<Answer>& candidates) -> std::optional<std::string> {
    algebra::Algebra algebra;  // one budget for all
    for (const Answer& c : candidates)
      if (algebra::read(algebra::cleaned(c.text), algebra))
        return c.percent ? c.text + "\\%" : c.text;
    return std::nullopt;
  };
  const auto x = read(a), y = read(b);
  return x && y && math_equal(*x, *y);
}

}  // namespace gdsd
