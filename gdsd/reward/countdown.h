// Whether an expression reaches the target of a countdown puzzle.
#pragma once

#include "gdsd/reward/reward.h"

namespace gdsd {

/// Whether the completion is an expression (evaluate() says which are) that uses each number of the
/// prompt exactly once and has the target as its exact value. Throws Error for a malformed prompt.
bool reaches_target(const Attempt& attempt);

/// 0 for an empty completion, 1 if it reaches the target, 0.1 for everything else.
std::optional<double> countdown_reward(const Attempt& attempt);

}  // namespace gdsd
