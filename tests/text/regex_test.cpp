#include "gdsd/base/regex.h"

#include <gtest/gtest.h>

#include "gdsd/base/check.h"

namespace gdsd {
namespace {

TEST(Regex, FindsGroupsAndWhatTookNoPart) {
  const std::string text = "x = 12, y";
  const auto match = Regex(R"((\d+)(!)?)").search(text);
  ASSERT_TRUE(match);
  EXPECT_EQ(match->text(text), "12");
  EXPECT_EQ(match->text(text, 1), "12");
  EXPECT_EQ(match->groups[2], std::nullopt);
}

TEST(Regex, IsUnicodeAware) {
  EXPECT_TRUE(Regex(R"(^\d\s$)").search("\u0663\u00a0"));
  EXPECT_FALSE(Regex(R"(a.b)").search("a\nb"));
  EXPECT_TRUE(Regex(R"(a.b)", Regex::kDotAll).search("a\nb"));
  EXPECT_FALSE(Regex("a").search("a\xff")) << "not UTF-8";
}

TEST(Regex, FindsEveryMatchEmptyOnesToo) {
  const std::string text = "é12 3";
  std::string all;
  for (const auto& m : Regex(R"(\d*)").find_all(text)) all += concat("[", m.text(text), "]");
  EXPECT_EQ(all, "[][12][][3][]");
}

TEST(Regex, SaysWhereAPatternIsMalformed) { EXPECT_THROW(Regex("(a"), Error); }

TEST(Regex, GivesUpOnCatastrophicBacktracking) {
  EXPECT_FALSE(Regex("^(a+)+$").search(std::string(5000, 'a') + "b"));
}

}  // namespace
}  // namespace gdsd
