// Grade-school arithmetic (GSM8K, arXiv 2110.14168): the answer is a number. An example's answer is
// the gold number, "72" or "1,234".
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "gdsd/reward/rational.h"
#include "gdsd/reward/reward.h"

namespace gdsd {

/// 1 if the completion's final number is the gold one, exactly, else 0. It is looked for in the last
/// \boxed{…} of the last <answer>…</answer>, in that answer, in the last \boxed{…}, after the last
/// "####", after the last "The answer is", and in all of it; where one has no number, in the next.
/// After a phrase it is the first number, else the last. Throws Error for a gold that has no number.
std::optional<double> gsm8k_reward(const Attempt& attempt);

/// 1 if the completion, but for white space around, is <reasoning>…</reasoning> and
/// <answer>…</answer>, with nothing but white space between and each tag once, else 0.
std::optional<double> xml_format_reward(const Attempt& attempt);

enum class Which { kFirst, kLast };

/// A number of the text: "1,234" and "1234.0" and "$1,234.00" are the same, "3/4", ".5" and "1e3" are
/// numbers, signs, percent signs, units and \frac{3}{4} are understood; "75-70" has two, both
/// positive. nullopt if there is none, or it divides by zero or has more than 100 digits.
std::optional<Rational> number_in(std::string_view text, Which which);

// As released. The gold is the answer as it stands, commas and all.

/// extract_hash_answer: what follows the first "####", or nullopt.
std::optional<std::string> extract_hash_answer(std::string_view text);

/// math_eval's extract_answer_gsm8k: the number after "####", nullopt for a negative one.
std::optional<double> gsm8k_gold_released(std::string_view text);

/// What correctness_reward_func_gsm8k takes for the answer: what follows "The answer is ", else
/// "#### ", else the last integer, else "".
std::string gsm8k_boxed_extracted(std::string_view completion);

/// 1 if that is the gold's text, else 0.
std::optional<double> gsm8k_boxed_released(const Attempt& attempt);

// The five parts of the released reward with <reasoning> and <answer> tags: at most 0.5, 0.5, 0.5, 0.5
// and 2.

/// xmlcount_reward_func: an eighth for each tag that occurs once with its line breaks, less a
/// thousandth for each character after the last "\n<answer>\n" and "\n</answer>".
std::optional<double> gsm8k_xml_count_released(const Attempt& attempt);
/// soft_format_reward_func: it begins with both pairs of tags.
std::optional<double> gsm8k_xml_soft_format_released(const Attempt& attempt);
/// strict_format_reward_func: it is both pairs of tags, each on a line of its own.
std::optional<double> gsm8k_xml_strict_format_released(const Attempt& attempt);
/// int_reward_func: the answer consists of digits.
std::optional<double> gsm8k_xml_int_released(const Attempt& attempt);
/// correctness_reward_func: the answer is the gold's text.
std::optional<double> gsm8k_xml_correctness_released(const Attempt& attempt);

struct ReleasedNumber {
  std::optional<double> extracted;  // may be NaN or infinite
  bool correct = false;
};

/// The released math_eval.parse_gsm_answers of attempt.generation: the first \boxed{…} with a number,
/// else the first <answer>…</answer>.
ReleasedNumber gsm8k_eval_released(const Attempt& attempt);

}  // namespace gdsd
