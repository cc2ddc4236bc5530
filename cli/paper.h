// Text broken into the lines of a terminal.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace gdsd {

/// Lines of at most `width` columns, with colours that take none. Wide characters take two columns,
/// and what would move the cursor is drawn as a space.
class Paper {
 public:
  explicit Paper(size_t width) : width_(width) {}

  /// Adds text in a colour, an escape sequence or "".
  void write(std::string_view text, std::string_view colour);

  /// Makes the line written last one that must be seen.
  void mark() { marked_ = lines_.size() - 1; }

  /// The lines joined, at most `most` of them: those that end with the marked one, or begin with
  /// the first where that is among them.
  std::string text(size_t most) const;

  /// How many lines text(most) has.
  size_t lines(size_t most) const { return std::min(most, lines_.size()); }

 private:
  void end_line(std::string_view colour);

  size_t width_, column_ = 0, marked_ = 0;
  std::vector<std::string> lines_{""};
};

}  // namespace gdsd
