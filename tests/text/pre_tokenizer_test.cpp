#include "gdsd/text/pre_tokenizer.h"

#include <gtest/gtest.h>

#include <chrono>
#include <vector>

#include "gdsd/base/random.h"
#include "gdsd/text/utf8.h"

namespace gdsd {
namespace {

using Pieces = std::vector<std::string>;

Pieces split(const PreTokenizer& t, std::string_view text) {
  Pieces pieces;
  t.split(text, [&](std::string_view piece) { pieces.emplace_back(piece); });
  return pieces;
}

const PreTokenizer& llada() {
  static const PreTokenizer t(kLladaSplit, Letters::kUnicode14);
  return t;
}
const PreTokenizer& dream() {
  static const PreTokenizer t(kQwenSplit, Letters::kPythonRegex);
  return t;
}

TEST(PreTokenizer, Splits) {
  const std::vector<std::pair<std::string, Pieces>> cases{
      {"", {}},
      {"Hello world", {"Hello", " world"}},
      {"it's IT'LL 'sx x'", {"it", "'s", " IT", "'LL", " '", "sx", " x", "'"}},
      {"x'\u017f", {"x", "'\u017f"}},  // long s is an s
      {"12 34", {"1", "2", " ", "3", "4"}},
      {"a  b", {"a", " ", " b"}},
      {"a   ", {"a", "   "}},
      {" \t\n\r  x", {" \t\n\r", " ", " x"}},
      {"x\n\n  \n y", {"x", "\n\n  \n", " y"}},
      {"done.\n\n", {"done", ".\n\n"}},
      {" !?\r\n z", {" !?\r\n", " z"}},
      {"cafe\u0301", {"cafe", "\u0301"}},  // a mark is no letter
      {"\u00a0x\u0085y", {"\u00a0x", "\u0085y"}},
      {"\u180e \u180e", {"\u180e", " \u180e"}},  // no space, though PCRE2 has it for one
      {"\u200b\u3000\u3000a", {"\u200b", "\u3000", "\u3000a"}},
      {"\u0664\u2167", {"\u0664", "\u2167"}}};
  for (const auto& [text, pieces] : cases) {
    EXPECT_EQ(split(llada(), text), pieces) << text;
    EXPECT_EQ(split(dream(), text), pieces) << text;
  }
}

TEST(PreTokenizer, OnlyDreamKnowsLaterLetters) {
  const std::string letter = "\U0001e4d0", number = "\U0001e4f0";  // Nag Mundari, of Unicode 15
  EXPECT_EQ(split(dream(), "a" + letter), Pieces{"a" + letter});
  EXPECT_EQ(split(llada(), "a" + letter), (Pieces{"a", letter}));
  EXPECT_EQ(split(dream(), "!" + number), (Pieces{"!", number}));
  EXPECT_EQ(split(llada(), "!" + number), Pieces{"!" + number});
}

/// The seven alternatives, without a regular expression, on ASCII.
Pieces plain_split(std::string_view text) {
  const auto letter = [](char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0; };
  const auto number = [](char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; };
  const auto space = [](char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; };
  const auto newline = [](char c) { return c == '\r' || c == '\n'; };
  const auto other = [&](char c) { return !letter(c) && !number(c) && !space(c); };
  const auto run = [&](size_t at, auto is) {
    while (at < text.size() && is(text[at])) ++at;
    return at;
  };
  const auto end_of = [&](size_t p) -> size_t {
    const std::string_view rest = text.substr(p);
    for (std::string_view word : {"'s", "'t", "'re", "'ve", "'m", "'ll", "'d"}) {
      if (rest.size() < word.size()) continue;
      bool same = true;
      for (size_t i = 0; i < word.size(); ++i) same &= std::tolower(rest[i]) == word[i];
      if (same) return p + word.size();
    }
    const size_t q = !newline(text[p]) && !letter(text[p]) && !number(text[p]) ? p + 1 : p;
    if (const size_t e = run(q, letter); e > q) return e;
    if (number(text[p])) return p + 1;
    const size_t o = text[p] == ' ' ? p + 1 : p;
    if (const size_t e = run(o, other); e > o) return run(e, newline);
    const size_t e = run(p, space);
    for (size_t n = e; n > p; --n)
      if (newline(text[n - 1])) return n;
    return e == text.size() || e == p + 1 ? e : e - 1;
  };
  Pieces pieces;
  for (size_t at = 0, end = 0; at < text.size(); at = end)
    pieces.emplace_back(text.substr(at, (end = end_of(at)) - at));
  return pieces;
}

TEST(PreTokenizer, AgreesWithAPlainScanner) {
  constexpr std::string_view alphabet = "  \n\r\t'sStlLdreav1.;";
  for (uint64_t i = 0; i < 20000; ++i) {
    std::string text;
    for (uint64_t c = 0; c < i % 24; ++c) text += alphabet[below(Key{i}, c, alphabet.size())];
    const Pieces expected = plain_split(text);
    ASSERT_EQ(split(llada(), text), expected) << text;
    ASSERT_EQ(split(dream(), text), expected) << text;
  }
}

TEST(PreTokenizer, LongRunsAreSplitInLinearTime) {
  constexpr size_t n = 1 << 21;
  const auto start = std::chrono::steady_clock::now();
  for (const PreTokenizer* t : {&llada(), &dream()}) {
    for (const char* one : {"a", "!", " ", "\n", "\u4e2d", "\u0301", "\u00a0", "\U0001e4d0"}) {
      std::string text;
      for (size_t i = 0; i < n; ++i) text += one;
      EXPECT_EQ(split(*t, text).size(), 1U) << one;
      text += "x";
      EXPECT_LE(split(*t, text).size(), 2U) << one;
    }
    std::string lines;
    for (size_t i = 0; i < n / 2; ++i) lines += " \n";
    EXPECT_EQ(split(*t, lines + std::string(n, ' ') + "1").size(), 4U);
  }
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(60));
}

}  // namespace
}  // namespace gdsd
