// Expressions that reach a target: of countdown's generator, and of puzzles that come without one.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace gdsd {

/// A value num / den in lowest terms, den > 0, and an expression of it.
struct Term {
  int64_t num = 0, den = 1;
  std::string text;
  char op = 0;  ///< the one that is applied last; 0: a number
};

Term number_term(int64_t n);

/// a op b for an op of "+-*/", with no more parentheses than needed; nullopt for a division by zero
/// and for what 64 bits do not hold.
std::optional<Term> combine(const Term& a, char op, const Term& b);

/// An expression with + - * / that uses each number once and has exactly the value `target`, or
/// nullopt if there is none. The first of a fixed order. Takes up to seconds for 6 numbers; throws
/// Error for more.
std::optional<std::string> solve_countdown(std::span<const int64_t> numbers, int64_t target);

}  // namespace gdsd
