#include "gdsd/text/utf8.h"

#include <gtest/gtest.h>

#include "gdsd/base/random.h"
#include "gdsd/text/byte_alphabet.h"

namespace gdsd {
namespace {

TEST(Utf8, ReplacesMaximalSubpartsAsPythonDoes) {
  // bytes.decode("utf-8", "replace") of Python 3.11.
  const std::vector<std::pair<std::string, std::string>> cases{
      {"", ""},
      {"a\xc3\xa9\xe4\xb8\xad\xf0\x9f\x98\x80", "a\u00e9\u4e2d\U0001f600"},
      {"\x80", "\ufffd"},
      {"\xc0\xaf", "\ufffd\ufffd"},
      {"\xc3", "\ufffd"},
      {"\xc3x", "\ufffdx"},
      {"\xe4\xb8x", "\ufffdx"},
      {"\xe0\x80\x80", "\ufffd\ufffd\ufffd"},
      {"\xed\xa0\x80", "\ufffd\ufffd\ufffd"},
      {"\xf0\x9f\x98", "\ufffd"},
      {"\xf0\x9f\x98\xf0\x9f\x98\x80", "\ufffd\U0001f600"},
      {"\xf4\x90\x80\x80", "\ufffd\ufffd\ufffd\ufffd"},
      {"\xf5\xff", "\ufffd\ufffd"},
      {"\xf1\x80\x80\x41", "\ufffd\x41"},
      {std::string("\0\xff", 2), std::string("\0\ufffd", 4)}};
  for (const auto& [bytes, text] : cases) EXPECT_EQ(replace_invalid_utf8(bytes), text);
}

TEST(Utf8, EveryCodePointIsReadAsItIsWritten) {
  for (char32_t code = 0; code < 0x110000; ++code) {
    std::string text;
    append_utf8(text, code);
    const Utf8Step step = utf8_step(text, 0);
    const bool surrogate = code >= 0xd800 && code < 0xe000;
    ASSERT_EQ(step.valid, !surrogate) << std::hex << static_cast<uint32_t>(code);
    if (surrogate) continue;
    ASSERT_EQ(step.length, text.size());
    ASSERT_EQ(utf8_code(text), code);
  }
}

TEST(Utf8, FindsTheFirstInvalidByteWhereverItStands) {
  for (size_t at = 0; at < 40; ++at) {
    std::string text(40, 'a');
    EXPECT_EQ(find_invalid_utf8(text), std::string::npos);
    EXPECT_EQ(skip_ascii(text, 0), text.size());
    text[at] = '\xff';
    EXPECT_EQ(find_invalid_utf8(text), at);
    EXPECT_EQ(skip_ascii(text, at / 2), at);
  }
}

TEST(Utf8, WhatWasReplacedIsValid) {
  for (uint64_t i = 0; i < 2000; ++i) {
    std::string bytes;
    for (uint64_t b = 0; b < i % 20; ++b)
      bytes +=
          static_cast<char>("\x41\x80\x9f\xa0\xbf\xc2\xe0\xed\xf0\xf4\xff"[below(Key{i}, b, 11)]);
    const std::string text = replace_invalid_utf8(bytes);
    EXPECT_EQ(find_invalid_utf8(text), std::string::npos);
    EXPECT_EQ(text == bytes, find_invalid_utf8(bytes) == std::string::npos);
  }
}

TEST(ByteAlphabet, IsGpt2s) {
  EXPECT_EQ(word_of_bytes("!~ \n\t"), "!~ĠĊĉ");
  EXPECT_EQ(word_of_bytes(std::string("\0\x20\x21\x7f\xa0\xad\xff", 7)), "ĀĠ!ġłŃÿ");
  EXPECT_EQ(bytes_of_word("Ġthe"), " the");
  EXPECT_EQ(bytes_of_word("Ã©"), "é");
  EXPECT_EQ(bytes_of_word(" "), std::nullopt);
  EXPECT_EQ(bytes_of_word("中"), std::nullopt);
  EXPECT_EQ(bytes_of_word("\xff"), std::nullopt);
  EXPECT_EQ(bytes_of_word("\u0144"), std::nullopt);  // one past the last
  for (int b = 0; b < 256; ++b) {
    const std::string byte(1, static_cast<char>(b));
    EXPECT_EQ(bytes_of_word(word_of_bytes(byte)), byte);
  }
}

}  // namespace
}  // namespace gdsd
