// Rewards for mathematics whose answer stands in a \boxed{…} (MATH, arXiv 2103.03874). An example's
// answer is the gold, "\frac{1}{2}", or a solution whose last box holds it.
#pragma once

#include <optional>
#include <string>

#include "gdsd/reward/reward.h"

namespace gdsd {

/// 1 if the completion's answer equals the gold: by math_equal, or as texts are compared in the
/// released code where that leaves out no text and no side of an equation. Else 0.
/// The answer is the last closed box inside the last <answer>…</answer>, else the last closed box of
/// all, else what the tags enclose, else what answers() finds. No answer equals nothing.
std::optional<double> math_reward(const Attempt& attempt);

/// The released correctness_reward_func_math: 2 if the completion's answer is the solution's, else 0.
/// The released function asks math_verify 0.5.2, ours answers_agree().
std::optional<double> math_boxed_released(const Attempt& attempt);

/// The released correctness_reward_func_math_xml: 2 if the last box between <answer> and </answer> is
/// string_equivalent with the solution's, else 0.
std::optional<double> math_xml_released(const Attempt& attempt);

/// The released boxed_and_answer_tags_format_reward_math: half of 1 for an <answer>, and 1 for a box
/// in it or 0.5 without.
std::optional<double> math_format_released(const Attempt& attempt);

/// What the released evaluation reads, and whether it is right.
struct ReleasedMath {
  std::optional<std::string> extracted;
  bool correct = false;
};

/// The released math_eval.parse_math_answers of the attempt's generation: its last box, else the first
/// <answer>…</answer>.
ReleasedMath math_eval_released(const Attempt& attempt);

}  // namespace gdsd
