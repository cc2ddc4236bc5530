// The formulas and numbers of a text, where a person would see one.
#pragma once

#include <string_view>
#include <vector>

#include "gdsd/reward/math_answer.h"

namespace gdsd {

/// A formula or number of a text.
struct Token {
  size_t begin, end;
  Answer answer;
};

/// $…$, $$…$$, \(…\), \[…\] and \frac{1}{2}, left to right, none overlapping; those with only "and",
/// "or" or a comma between them as one list.
std::vector<Token> formulas(std::string_view text);

/// Numbers and quotients, 1,234.5 and (1+2)/3, after white space, "=" or nothing, perhaps with "**" or a
/// currency before; by where they begin.
std::vector<Token> numbers(std::string_view text);

}  // namespace gdsd
