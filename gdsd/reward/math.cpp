#include "gdsd/reward/math.h"

#include "gdsd/reward/math_answer.h"
#include "gdsd/reward/math_equal.h"
#include "gdsd/reward/math_text.h"
#include "gdsd/text/answer.h"
#include "gdsd/text/python_text.h"

namespace gdsd {
namespace {

constexpr std::string_view kOpen = "<answer>", kClose = "</answer>";
constexpr auto kNone = std::string_view::npos;

/// What stands between the first <answer> and the next </answer>; all of the text without them.
std::string_view tagged(std::string_view text) {
  const size_t open = text.find(kOpen);
  if (open == kNone) return text;
  const std::string_view inside = text.substr(open + kOpen.size());
  return inside.substr(0, inside.find(kClose));
}

std::optional<std::string> unboxed(std::string_view text) {
  const auto box = last_boxed(text);
  return box ? std::optional(remove_boxed(*box)) : std::nullopt;
}

/// The released comparison of texts, where it does not leave out what matters: what follows
/// "\text{ ", or what stands before "=".
bool same_text(std::string_view answer, std::string_view gold) {
  for (const std::string_view text : {answer, gold})
    if (text.find("\\text{ ") != kNone || text.find('=') != kNone) return false;
  const auto text = rewritten(answer, StringRule::kTraining);
  return text && !text->empty() && text == rewritten(gold, StringRule::kTraining);
}

bool equal(std::string_view answer, std::string_view gold) {
  return !python_strip(answer).empty() && (math_equal(answer, gold) || same_text(answer, gold));
}

}  // namespace

std::optional<double> math_reward(const Attempt& attempt) {
  const std::string& text = attempt.completion;
  const std::string& answer = attempt.example->answer;
  const std::string gold(boxed_answer(answer).value_or(answer));
  const auto tags = tagged_answer(text);
  std::optional<std::string_view> box = tags ? boxed_answer(*tags) : std::nullopt;
  if (!box) box = boxed_answer(text);
  if (box) return equal(*box, gold);
  if (tags && equal(*tags, gold)) return 1;
  return answers_agree(tags.value_or(text), "$" + gold + "$");
}

std::optional<double> math_boxed_released(const Attempt& attempt) {
  return answers_agree(attempt.completion, attempt.example->answer) ? 2 : 0;
}

std::optional<double> math_xml_released(const Attempt& attempt) {
  return string_equivalent(unboxed(tagged(attempt.completion)), unboxed(attempt.example->answer))
             ? 2
             : 0;
}

std::optional<double> math_format_released(const Attempt& attempt) {
  const std::string_view text = attempt.completion;
  const bool tag = text.find(kOpen) != kNone, box = tagged(text).find("\\boxed") != kNone;
  return ((tag ? 1 : 0) + (box ? 1 : 0.5)) / 2;
}

ReleasedMath math_eval_released(const Attempt& attempt) {
  const std::string_view text = attempt.generation;
  ReleasedMath read{.extracted = unboxed(text), .correct = false};
  if (!read.extracted || read.extracted->empty())
    if (const auto answer = first_answer(text)) read.extracted = *answer;
  read.correct = read.extracted && string_equivalent(read.extracted, attempt.example->answer,
                                                     StringRule::kEvaluation);
  return read;
}

}  // namespace gdsd
