// Whether an expression reaches the target of a countdown puzzle. An example's problem is
// "3,7,12=16": parse_countdown() reads it, and every function here throws Error for one it cannot.
#pragma once

#include "gdsd/reward/reward.h"

namespace gdsd {

/// Whether the answer is an expression (evaluate() says which are) that uses each number of the
/// problem exactly once and has the target as its exact value. The answer is what the last
/// <answer>…</answer> holds, the completion if there is none, and of either the last \boxed{…} if
/// there is one. \times, \cdot and \div are read as × and ÷; "= 16" after it is not part of an
/// expression.
bool reaches_target(const Attempt& attempt);

/// 0 for an empty completion, 1 if it reaches the target, 0.1 for everything else.
std::optional<double> countdown_reward(const Attempt& attempt);

/// The released reward_func_countdown: 0 without an <answer>…</answer>, 1 if Python's eval() of the
/// last one comes within 1e-5 of the target with the right numbers in it, else 0.1.
std::optional<double> countdown_released(const Attempt& attempt);

/// The two released evaluations: eval/ takes the last \boxed{…}, else the first <answer>…</answer>,
/// else all; math_eval/ the last \boxed{…}, else, unless it is an unclosed one, all.
enum class CountdownParser { kEval, kMathEval };

struct ReleasedCountdown {
  std::string extracted;
  bool correct = false;
};

/// What the released evaluation makes of attempt.generation; nullopt where it raises, as for
/// "3*7*12*()".
std::optional<ReleasedCountdown> countdown_eval_released(const Attempt& attempt,
                                                         CountdownParser parser);

}  // namespace gdsd
