// A reward that is a program of the user's own, in any language. It is started once and is told one
// attempt a line on its standard input, as JSON:
//   {"id": 7, "prompt": "…", "problem": "…", "answer": "…", "completion": "…", "source": "…",
//    "record": {…} or null}
// It answers each with a line on its standard output, before it is told the next:
//   {"id": 7, "score": 0.5}, or "score": null where the reward does not apply.
// Other members of an answer are ignored, and so is what it writes to standard error, unless it fails.
// It ends when its standard input does. An example is docs/reward_example.py.
#pragma once

#include <string>
#include <string_view>

#include "gdsd/data/judging.h"
#include "gdsd/reward/reward.h"

namespace gdsd {

/// Starts the program, which then runs as long as the reward, or copies of it, exist; calls wait for
/// one another. If it dies it is started again and asked once more.
/// Throws FieldError for options out of range and Error for a program that cannot be started; the
/// reward throws Error for one that dies twice over an attempt, with its status and last words, for an
/// answer that takes too long, is not as above or has another id, or is no finite number.
Reward external_reward(const ExternalOptions& options);

}  // namespace gdsd
