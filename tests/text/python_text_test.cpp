#include "gdsd/text/python_text.h"

#include <gtest/gtest.h>

#include <cmath>

namespace gdsd {
namespace {

TEST(PythonText, StripsWhatIsSpaceInUnicode) {
  EXPECT_EQ(python_strip("\u00a0 \x1c\u3000a b\u0085\n"), "a b");
  EXPECT_EQ(python_lstrip("\u2003a "), "a ");
  EXPECT_EQ(python_rstrip(" a\u2003"), " a");
  EXPECT_EQ(python_strip("\u200ba"), "\u200ba") << "a zero-width space is none";
  EXPECT_EQ(python_strip(" \t\n"), "");
  EXPECT_EQ(python_strip("\xff "), "\xff");
  EXPECT_EQ(python_strip("a\xa0"), "a\xa0") << "a lone byte of a character";
}

TEST(PythonText, KnowsDigitsOfEveryScript) {
  EXPECT_EQ(decimal_digit(U'7'), 7);
  EXPECT_EQ(decimal_digit(U'\u0663'), 3);
  EXPECT_EQ(decimal_digit(U'\uff14'), 4);
  EXPECT_EQ(decimal_digit(U'\U0001d7e9'), 7) << "five runs of ten stand together";
  EXPECT_EQ(decimal_digit(U'\u00b2'), std::nullopt);
  EXPECT_EQ(decimal_digit(U'x'), std::nullopt);
  EXPECT_TRUE(python_isdigit("12\u0663\u00b2"));
  EXPECT_FALSE(python_isdigit(""));
  EXPECT_FALSE(python_isdigit("-1"));
  EXPECT_FALSE(python_isdigit("\u00bd"));
}

TEST(PythonText, ReadsFloatsAsPythonDoes) {
  EXPECT_EQ(python_float(" 1_000.5\n"), 1000.5);
  EXPECT_EQ(python_float("-.5"), -0.5);
  EXPECT_EQ(python_float("5."), 5.0);
  EXPECT_EQ(python_float("+1e3"), 1000.0);
  EXPECT_EQ(python_float("\u0661\u0662"), 12.0);
  EXPECT_EQ(python_float("-INF"), -HUGE_VAL);
  EXPECT_TRUE(std::isnan(*python_float("NaN")));
  EXPECT_EQ(python_float("1e999"), HUGE_VAL);
  for (const char* text : {"", " ", "1,000", "1__0", "_1", "1_", "0x10", "1e", "--1", "1 2", ".",
                           "e5", "\u00b2", "in", "+", "1\u200b"})
    EXPECT_EQ(python_float(text), std::nullopt) << text;
}

TEST(PythonText, CountsCharacters) {
  EXPECT_EQ(python_length("aé\u3000"), 3u);
  EXPECT_EQ(python_length(""), 0u);
}

TEST(PythonText, ReplacesLeftToRight) {
  EXPECT_EQ(replace_all("aaa", "aa", "b"), "ba");
  EXPECT_EQ(replace_all("abc", "x", "y"), "abc");
}

TEST(PythonText, FindsWhatStandsBetweenTags) {
  EXPECT_EQ(last_between("<a>1</a> <a>2</a>", "<a>", "</a>"), "2");
  EXPECT_EQ(last_between("<a>1</a> <a>2", "<a>", "</a>"), "1");
  EXPECT_EQ(last_between("<a><a>1</a>", "<a>", "</a>"), "<a>1");
  EXPECT_EQ(last_between("1</a>", "<a>", "</a>"), std::nullopt);
}

}  // namespace
}  // namespace gdsd
