#include "cli/paper.h"

#include <gtest/gtest.h>

namespace gdsd {
namespace {

std::string drawn(std::string_view text, size_t width, size_t most = 100) {
  Paper paper(width);
  paper.write(text, "");
  return paper.text(most);
}

TEST(Paper, BreaksLinesByTheColumnsOfTheirCharacters) {
  EXPECT_EQ(drawn("abcdef", 4), "abcd\nef");
  EXPECT_EQ(drawn("ab\ncdef", 4), "ab\ncdef");
  EXPECT_EQ(drawn("数独数独", 4), "数独\n数独");            // two columns each
  EXPECT_EQ(drawn("a数独", 4), "a数\n独");                  // no half of one stands at the end
  EXPECT_EQ(drawn("e\u0301e\u0301", 2), "e\u0301e\u0301");  // an accent takes none
}

TEST(Paper, DrawsWhatWouldMoveTheCursorAsSpaces) {
  EXPECT_EQ(drawn("a\033[2Jb", 10), "a [2Jb");
  EXPECT_EQ(drawn("a\x7f\u0085\u009b1mb", 10), "a   1mb");  // DEL, and C1's NEL and CSI
  EXPECT_EQ(drawn("\r\t\b", 10), "   ");
}

TEST(Paper, ShowsTheMarkedLineWhereAllDoNotFit) {
  Paper paper(1);
  paper.write("ab", "");
  EXPECT_EQ(paper.text(2), "a\nb");
  paper.write("c", "");
  paper.mark();
  paper.write("de", "");
  EXPECT_EQ(paper.text(2), "b\nc");
  EXPECT_EQ(paper.lines(2), 2u);
  EXPECT_EQ(paper.text(4), "a\nb\nc\nd");  // no empty lines above the first
  EXPECT_EQ(paper.lines(9), 5u);
}

TEST(Paper, ColoursEveryLineByItself) {
  Paper paper(2);
  paper.write("abcd", "<");
  EXPECT_EQ(paper.text(9), "<ab\033[0m\n<cd\033[0m");
}

}  // namespace
}  // namespace gdsd
