#include "gdsd/data/arithmetic.h"

#include <numeric>
#include <vector>

#include "gdsd/base/check.h"

namespace gdsd {
namespace {

constexpr size_t kMostNumbers = 6;

bool is_product(char op) { return op == '*' || op == '/'; }

std::string bracketed(const Term& term, bool brackets) {
  return brackets ? "(" + term.text + ")" : term.text;
}

/// The fraction in lowest terms, without a text, or nullopt.
std::optional<Term> fraction(int64_t num, int64_t den) {
  if (den == 0 || num == INT64_MIN || den == INT64_MIN) return std::nullopt;
  const int64_t divisor = std::gcd(num, den) * (den < 0 ? -1 : 1);
  return Term{.num = num / divisor, .den = den / divisor, .text = {}};
}

std::optional<Term> value(const Term& a, char op, const Term& b) {
  int64_t left = 0, right = 0, num = 0, den = 0;
  bool overflow = false;
  if (is_product(op)) {
    const bool times = op == '*';
    overflow |= __builtin_mul_overflow(a.num, times ? b.num : b.den, &num);
    overflow |= __builtin_mul_overflow(a.den, times ? b.den : b.num, &den);
  } else {
    overflow |= __builtin_mul_overflow(a.num, b.den, &left);
    overflow |= __builtin_mul_overflow(b.num, a.den, &right);
    overflow |= op == '+' ? __builtin_add_overflow(left, right, &num)
                          : __builtin_sub_overflow(left, right, &num);
    overflow |= __builtin_mul_overflow(a.den, b.den, &den);
  }
  return overflow ? std::nullopt : fraction(num, den);
}

std::optional<std::string> search(std::span<const Term> terms, int64_t target) {
  if (terms.size() == 1)
    return terms[0].num == target && terms[0].den == 1 ? std::optional(terms[0].text)
                                                       : std::nullopt;
  for (size_t i = 0; i < terms.size(); ++i)
    for (size_t j = 0; j < terms.size(); ++j) {
      if (i == j) continue;
      for (char op : {'+', '-', '*', '/'}) {
        if (i > j && (op == '+' || op == '*')) continue;  // the same with i and j exchanged
        if (terms.size() == 2) {  // most of the work ends here: no text for what misses
          const auto last = value(terms[i], op, terms[j]);
          if (!last || last->num != target || last->den != 1) continue;
        }
        const auto both = combine(terms[i], op, terms[j]);
        if (!both) continue;
        std::vector<Term> fewer{*both};
        for (size_t k = 0; k < terms.size(); ++k)
          if (k != i && k != j) fewer.push_back(terms[k]);
        if (auto found = search(fewer, target)) return found;
      }
    }
  return std::nullopt;
}

}  // namespace

Term number_term(int64_t n) { return {.num = n, .den = 1, .text = std::to_string(n)}; }

std::optional<Term> combine(const Term& a, char op, const Term& b) {
  std::optional<Term> out = value(a, op, b);
  if (!out) return out;
  const auto is_sum = [](char c) { return c == '+' || c == '-'; };
  out->op = op;
  out->text = bracketed(a, is_product(op) && is_sum(a.op)) + op +
              bracketed(b, (op == '-' && is_sum(b.op)) || (op == '*' && is_sum(b.op)) ||
                               (op == '/' && b.op != 0));
  return out;
}

std::optional<std::string> solve_countdown(std::span<const int64_t> numbers, int64_t target) {
  check(!numbers.empty() && numbers.size() <= kMostNumbers, "[countdown] got ", numbers.size(),
        " numbers, expected 1 to ", kMostNumbers, ".");
  std::vector<Term> terms;
  for (int64_t n : numbers) terms.push_back(number_term(n));
  return search(terms, target);
}

}  // namespace gdsd
