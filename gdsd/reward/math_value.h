// What an answer is read as, and how it is read.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gdsd/reward/algebra.h"

namespace gdsd::algebra {

struct Value {
  enum class Kind {
    kScalar,    // a number or expression
    kText,      // \text{Evelyn}
    kSequence,  // items between brackets, or without
    kUnion,     // of the items
    kMatrix,    // items row by row
    kRelation,  // items between operators
  };
  Kind kind = Kind::kScalar;
  Ratio scalar = {};
  std::string text = {};  // of a text; of anything else its source, without spaces
  std::optional<unsigned> places =
      {};                 // of a scalar that was written as a decimal, after the point
  std::string base = {};  // of a number with a subscript, 12_{8}
  std::vector<Value> items = {};
  char open = 0, close = 0;    // of a sequence, 0 without; '{' for a set
  size_t columns = 0;          // of a matrix
  std::string operators = {};  // of a relation: = < > n(≠) l(≤) g(≥) e(∈)
};

/// The number or half of a day that a text after a number means, \text{ million} or \text{ a.m.}; nullopt
/// for a unit or any other text.
std::optional<Ratio> quantity(std::string_view text);

/// The answer without what carries no meaning: dollars, spacing, degrees, \left, units at the end, all
/// but the last of several equations; \dfrac as \frac, \mathrm as \text, "and" as ";".
std::string cleaned(std::string_view answer);

/// Reads a cleaned answer within the algebra's budget; nullopt if it is not understood.
std::optional<Value> read(std::string_view cleaned, Algebra& algebra);

}  // namespace gdsd::algebra
