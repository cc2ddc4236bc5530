// A recursive-descent parser that computes as it reads:
//   list     = element {(","|";") element}
//   element  = union {relation union},       union = sum {\cup sum}
//   sum      = [sign] product {sign product}, product = factors {(*|/|:|\cdot|\times|\div) factors}
//   factors  = power {power}, closer than a quotient: 1/2x is 1/(2x)
//   power    = primary {"^" exponent | "!" | "%" | "_" subscript}
#pragma once

#include "gdsd/reward/math_value.h"

namespace gdsd::algebra {

class Parser {
 public:
  Parser(std::string_view text, Algebra& algebra);

  /// All of the text. Throws NoValue for what it does not understand.
  Value whole();

 private:
  // math_parser.cpp: lists, relations, sums, products
  std::vector<Value> elements();
  Value element();
  Value united();
  Value sum();
  Value product();
  Value factors();
  Value power();
  Ratio exponent();
  Value combined(char operation, const Value& a, const Value& b);
  Ratio scalar(const Value& v) const;

  // math_primary.cpp: numbers, letters, brackets
  Value primary();
  Value number();
  Value bracketed();
  Value set();
  Value text_group();
  Value letter();
  Value command();

  // math_functions.cpp
  static bool is_function(std::string_view name);
  Value function(std::string_view name);
  Value logarithm(std::string_view name);
  Value fraction();
  Value root();
  Value matrix();
  Ratio braced();
  Ratio digit_or_braced();
  Ratio argument();

  std::string subscript();
  Value of(Ratio value) const;

  // Reading
  char peek();
  bool take(std::string_view what);
  void expect(std::string_view what);
  std::string_view command_name();
  bool starts_primary();
  [[noreturn]] static void fail() { throw NoValue{}; }

  /// Counts how deep the recursion is while it lives.
  struct Deeper {
    explicit Deeper(Parser& p) : parser(p) {
      parser.algebra_.spend(3);
      if (++parser.depth_ > 60) fail();
    }
    ~Deeper() { --parser.depth_; }
    Deeper(const Deeper&) = delete;
    Deeper& operator=(const Deeper&) = delete;
    Parser& parser;
  };

  std::string_view text_;
  Algebra& algebra_;
  size_t at_ = 0;
  int depth_ = 0;
  int bars_ = 0;             // of |x| that are open
  int sign_ = 1;             // of \pm
  bool plus_minus_ = false;  // one was met
  bool thousands_ = false;   // commas are between groups of digits
};

}  // namespace gdsd::algebra
