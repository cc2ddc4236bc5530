// Evaluates the input with both evaluators: exactly, and as Python does. What both take for an
// expression of + - * / alone has the same value, rounding apart.
#include <cmath>
#include <cstdint>
#include <cstdlib>

#include "gdsd/reward/expression.h"
#include "gdsd/reward/python_expression.h"

namespace gdsd {
namespace {

/// Stops the fuzzer unless `ok`.
void must(bool ok) {
  if (!ok) std::abort();
}

void evaluate_both(std::string_view text) {
  const std::optional<Expression> exact = evaluate(text);
  const std::optional<PythonValue> python = python_eval(text);
  if (python) (void)python_distance(*python, 6);
  if (!exact) return;
  must(denominator(exact->value) > 0);
  must(gcd(numerator(exact->value), denominator(exact->value)) == 1);
  must(!exact->literals.empty());
  const auto again = evaluate("(" + std::string(text) + ")");  // one level deeper, two bytes longer
  must(!again || again->value == exact->value);
  if (!python) return;  // "×", or too large for a float
  if (const auto* n = std::get_if<Integer>(&*python)) {
    must(exact->value == *n);
  } else {
    // Floats lose digits without bound where terms cancel: only a quotient of integers is checked.
    const double* f = std::get_if<double>(&*python);
    must(f != nullptr);
    const bool one_quotient = exact->literals.size() == 2;
    if (one_quotient) must(*f == python_divide(numerator(exact->value), denominator(exact->value)));
  }
}

}  // namespace
}  // namespace gdsd

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {  // NOLINT: libFuzzer's
  gdsd::evaluate_both({reinterpret_cast<const char*>(data), size});
  return 0;
}
