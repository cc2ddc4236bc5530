// Where a text states its answer, in the order in which math_verify looks for it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace gdsd {

/// What a text may mean as its answer.
struct Answer {
  std::string text;      // LaTeX, or a number or quotient as it stands
  bool percent = false;  // a percent sign follows
};

/// Candidates, best first, at most eight: the last \boxed{…} (boxes joined by "and", "or" or a comma
/// together), then what follows the last "answer", then formulas ($…$, \(…\), \[…\]), fractions and
/// numbers from the end. None for a text that has no box, formula or number.
std::vector<Answer> answers(std::string_view text);

/// Whether the two texts' answers, for each its first candidate that can be read, are equal
/// (math_equal), or the first candidates the same text. False where one has none.
bool answers_agree(std::string_view response, std::string_view gold);

}  // namespace gdsd
