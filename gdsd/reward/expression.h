// Exact arithmetic on text that a model wrote: "(12+7)/3" is 19/3.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace gdsd {

/// In lowest terms, denominator > 0.
struct Fraction {
  int64_t numerator = 0;
  int64_t denominator = 1;
  bool operator==(const Fraction&) const = default;
};

struct Expression {
  Fraction value;
  std::vector<int64_t> literals;  // as they stand, without signs: 3, 3 and 2 of "3+-3*2"
};

/// The value of + - * / ( ) and unary signs over unsigned integers, with the usual precedence;
/// spaces may stand between them. nullopt for anything else: other characters, "**", "//", leading
/// zeros, a division by zero, more than 100 nested parentheses, or a literal or intermediate
/// fraction that 64 bits cannot hold.
std::optional<Expression> evaluate(std::string_view text);

}  // namespace gdsd
