// Whether an expression reaches the target of a countdown puzzle.
#include "gdsd/reward/countdown.h"

#include <algorithm>

#include "gdsd/data/countdown.h"
#include "gdsd/reward/expression.h"

namespace gdsd {

bool reaches_target(const Attempt& attempt) {
  const CountdownPuzzle puzzle = parse_countdown(attempt.example->problem);
  const std::optional<Expression> e = evaluate(attempt.completion);
  return e && e->value == Fraction{puzzle.target, 1} &&
         std::is_permutation(e->literals.begin(), e->literals.end(), puzzle.numbers.begin(),
                             puzzle.numbers.end());
}

std::optional<double> countdown_reward(const Attempt& attempt) {
  if (reaches_target(attempt)) return 1.0;
  return attempt.completion.empty() ? 0.0 : 0.1;
}

}  // namespace gdsd
