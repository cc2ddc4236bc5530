// Every code point against the tables the references use: GDSD_DATA/data/unicode, by default of the
// folder shared/ beside the project. Skipped where they are not.
#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <vector>

#include "gdsd/base/file.h"
#include "gdsd/base/random.h"
#include "gdsd/text/nfc.h"
#include "gdsd/text/pre_tokenizer.h"
#include "gdsd/text/utf8.h"

namespace gdsd {
namespace {

using nlohmann::json;
using Codes = std::vector<char32_t>;

constexpr char32_t kCodes = 0x110000;
bool is_surrogate(char32_t code) { return code >= 0xd800 && code < 0xe000; }

/// The document, or null if it is not there.
json table(const char* name) {
  const char* data = std::getenv("GDSD_DATA");
  const auto path = std::filesystem::path(data ? data : GDSD_DATA_FOLDER) / "data/unicode" / name;
  return std::filesystem::exists(path) ? json::parse(read_file(path)) : json();
}

std::string text_of(const Codes& codes) {
  std::string text;
  for (char32_t code : codes) append_utf8(text, code);
  return text;
}

Codes codes_of(std::string_view text) {
  Codes codes;
  for (size_t at = 0; at < text.size();) {
    const size_t n = utf8_step(text, at).length;
    codes.push_back(utf8_code(text.substr(at, n)));
    at += n;
  }
  return codes;
}

/// How the pattern sees a code point: 'L', 'N', 'S' or '-'.
char class_of(const PreTokenizer& t, char32_t code) {
  const auto is_one = [&](const char* before) {
    size_t pieces = 0;
    t.split(before + text_of({code}), [&](std::string_view) { ++pieces; });
    return pieces == 1;
  };
  if (is_one("a")) return 'L';
  if (is_one("\u00a0")) return 'S';
  const bool newline = code == '\n' || code == '\r';  // goes with what stands before it
  return is_one("!") && !newline ? '-' : 'N';
}

TEST(Unicode, EveryCodePointHasTheClassTheReferenceGivesIt) {
  const json classes = table("char_classes.json");
  if (classes.is_null()) GTEST_SKIP() << "data/unicode/char_classes.json is not there";
  const std::map<std::string, std::pair<std::string_view, Letters>> references{
      {"oniguruma", {kLladaSplit, Letters::kUnicode14}},
      {"python_regex", {kQwenSplit, Letters::kPythonRegex}}};
  for (const auto& [name, how] : references) {
    std::string expected(kCodes, '-');
    for (const auto& [letter, ranges] : classes.at(name).items())
      for (const json& range : ranges)
        for (char32_t c = range[0].get<uint32_t>(); c <= range[1].get<uint32_t>(); ++c)
          expected[c] = letter[0];
    const PreTokenizer t(how.first, how.second);
    for (char32_t c = 0; c < kCodes; ++c)
      if (!is_surrogate(c)) {
        ASSERT_EQ(class_of(t, c), expected[c]) << name << " U+" << std::hex << uint32_t{c};
      }
  }
}

/// NFC by the book (Unicode, chapter 3.11), from the tables.
class PlainNfc {
 public:
  explicit PlainNfc(const json& tables) {
    for (const json& d : tables.at("decomposition"))
      for (size_t i = 1; i < d.size(); ++i)
        parts_[d[0].get<uint32_t>()].push_back(d[i].get<uint32_t>());
    for (const json& c : tables.at("ccc")) rank_[c[0].get<uint32_t>()] = c[1].get<int>();
    for (const json& c : tables.at("composition"))
      whole_[{c[0].get<uint32_t>(), c[1].get<uint32_t>()}] = c[2].get<uint32_t>();
  }

  Codes operator()(const Codes& text) const {
    Codes codes;
    for (char32_t c : text) decompose(c, codes);
    for (size_t pass = 0; pass < codes.size(); ++pass)
      for (size_t i = 0; i + 1 < codes.size(); ++i)
        if (rank(codes[i + 1]) > 0 && rank(codes[i]) > rank(codes[i + 1]))
          std::swap(codes[i], codes[i + 1]);
    Codes out;
    size_t starter = SIZE_MAX;
    for (char32_t c : codes) {
      // Only marks of lower class may stand between the two.
      const bool open =
          starter != SIZE_MAX && (starter + 1 == out.size() || rank(out.back()) < rank(c));
      const char32_t both = open ? compose(out[starter], c) : 0;
      if (both) {
        out[starter] = both;
        continue;
      }
      if (rank(c) == 0) starter = out.size();
      out.push_back(c);
    }
    return out;
  }

 private:
  int rank(char32_t c) const {
    const auto found = rank_.find(c);
    return found == rank_.end() ? 0 : found->second;
  }
  void decompose(char32_t c, Codes& out) const {
    if (c >= 0xac00 && c < 0xac00 + 11172) {
      const uint32_t s = c - 0xac00;
      out.insert(out.end(), {0x1100 + s / 588, 0x1161 + s % 588 / 28});
      if (s % 28) out.push_back(0x11a7 + s % 28);
    } else if (const auto found = parts_.find(c); found != parts_.end()) {
      for (char32_t part : found->second) decompose(part, out);
    } else {
      out.push_back(c);
    }
  }
  char32_t compose(char32_t a, char32_t b) const {
    if (a >= 0x1100 && a < 0x1113 && b >= 0x1161 && b < 0x1176)
      return 0xac00 + ((a - 0x1100) * 21 + (b - 0x1161)) * 28;
    if (a >= 0xac00 && a < 0xac00 + 11172 && (a - 0xac00) % 28 == 0 && b > 0x11a7 && b < 0x11c3)
      return a + (b - 0x11a7);
    const auto found = whole_.find({a, b});
    return found == whole_.end() ? 0 : found->second;
  }

  std::map<char32_t, Codes> parts_;
  std::map<char32_t, int> rank_;
  std::map<std::pair<char32_t, char32_t>, char32_t> whole_;
};

TEST(Unicode, NfcIsThatOfTheTables) {
  const json tables = table("nfc.json");
  if (tables.is_null()) GTEST_SKIP() << "data/unicode/nfc.json is not there";
  const PlainNfc plain(tables);
  for (char32_t c = 0; c < kCodes; ++c) {
    if (is_surrogate(c)) continue;
    for (const Codes& codes : {Codes{c}, Codes{c, 0x301}, Codes{'e', c, 0x327}})
      ASSERT_EQ(codes_of(nfc(text_of(codes))), plain(codes)) << std::hex << uint32_t{c};
  }
  // Texts of letters that compose and of marks in any order.
  Codes pool{'a', 'e', 0x1100, 0x1161, 0x11a8, 0xac00, 0x4e2d};
  for (const json& c : tables.at("ccc")) pool.push_back(c[0].get<uint32_t>());
  for (const json& c : tables.at("composition"))
    for (size_t i = 0; i < 3; ++i) pool.push_back(c[i].get<uint32_t>());
  for (uint64_t i = 0; i < 20000; ++i) {
    Codes codes;
    for (uint64_t c = 0; c < 1 + i % 8; ++c) codes.push_back(pool[below(Key{i}, c, pool.size())]);
    ASSERT_EQ(codes_of(nfc(text_of(codes))), plain(codes)) << i;
  }
}

TEST(Nfc, ComposesAndOrdersMarks) {
  EXPECT_EQ(nfc(""), "");
  EXPECT_EQ(nfc("plain \u00e9"), "plain \u00e9");
  EXPECT_EQ(nfc("cafe\u0301"), "caf\u00e9");
  EXPECT_EQ(nfc("a\u0301\u0323"), "\u1ea1\u0301");
  EXPECT_EQ(nfc("\u1100\u1161\u11a8"), "\uac01");
  EXPECT_EQ(nfc("\u212b\u0958"), "\u00c5\u0915\u093c");  // the second is excluded from composing
  EXPECT_EQ(nfc(">\u0338"), "\u226f");
  EXPECT_EQ(nfc("e\U00010efd\u0301"), "e\U00010efd\u0301");  // a mark since Unicode 15
  EXPECT_EQ(nfc(std::string("\0e\xcc\x81\0", 5)), std::string("\0\u00e9\0", 4));
}

TEST(Nfc, ManyMarksTakeNoQuadraticTime) {
  constexpr size_t n = 300000;
  std::string text = "a", ordered = "\u1ead";  // takes one of each
  for (size_t i = 0; i < n; ++i) text += "\u0302";
  for (size_t i = 0; i < n; ++i) text += "\u0323";
  for (size_t i = 1; i < n; ++i) ordered += "\u0323";
  for (size_t i = 1; i < n; ++i) ordered += "\u0302";
  EXPECT_TRUE(nfc(text) == ordered);
}

}  // namespace
}  // namespace gdsd
