// Exact arithmetic on text that a model wrote: "(12+7)/3" is 19/3.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "gdsd/reward/rational.h"

namespace gdsd {

struct Expression {
  Rational value;
  std::vector<Integer> literals;  // as they stand, without signs: 3, 3 and 2 of "3+-3*2"
};

// What bounds the time that a hostile text can take: a tenth of a second.
inline constexpr size_t kLongestExpression = 1 << 16;  // bytes
inline constexpr int kDeepestExpression = 100;         // parentheses
inline constexpr size_t kLargestNumber = 1024;  // bits of a literal, numerator or denominator

/// The value of + - * / ( ) and unary signs over unsigned integers, with the usual precedence;
/// spaces may stand between them, and ×, ÷ and − for *, / and -. nullopt for anything else: other
/// characters, "**", "//", leading zeros, a division by zero, or more than the bounds above.
std::optional<Expression> evaluate(std::string_view text);

}  // namespace gdsd
