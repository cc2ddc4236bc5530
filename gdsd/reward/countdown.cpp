// Whether an expression reaches the target of a countdown puzzle.
#include "gdsd/reward/countdown.h"

#include <algorithm>

#include "gdsd/data/countdown_puzzle.h"
#include "gdsd/reward/expression.h"
#include "gdsd/text/answer.h"
#include "gdsd/text/python_text.h"

namespace gdsd {

bool reaches_target(const Attempt& attempt) {
  const CountdownPuzzle puzzle = parse_countdown(attempt.example->problem);
  std::string_view answer = python_strip(attempt.completion);
  answer = tagged_answer(answer).value_or(answer);
  answer = boxed_answer(answer).value_or(answer);
  std::string text(answer.substr(0, kLongestExpression + 1));
  for (const auto& [latex, sign] : {std::pair("\\times", "×"), {"\\cdot", "×"}, {"\\div", "÷"}})
    text = replace_all(text, latex, sign);
  const std::optional<Expression> e = evaluate(text);
  return e && e->value == puzzle.target &&
         std::is_permutation(e->literals.begin(), e->literals.end(), puzzle.numbers.begin(),
                             puzzle.numbers.end());
}

std::optional<double> countdown_reward(const Attempt& attempt) {
  if (reaches_target(attempt)) return 1.0;
  return attempt.completion.empty() ? 0.0 : 0.1;
}

}  // namespace gdsd
