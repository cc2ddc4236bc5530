// Grade-school arithmetic as the released code scores it.
#include "gdsd/base/regex.h"
#include "gdsd/reward/gsm8k.h"
#include "gdsd/text/answer.h"
#include "gdsd/text/python_text.h"

namespace gdsd {
namespace {

size_t occurrences(std::string_view text, std::string_view part) {
  size_t n = 0;
  for (size_t at = 0; (at = text.find(part, at)) != std::string_view::npos; at += part.size()) ++n;
  return n;
}

/// The characters after the last `part`, or of all the text if it does not occur.
double length_after(std::string_view text, std::string_view part) {
  const size_t at = text.rfind(part);
  if (at != std::string_view::npos) text.remove_prefix(at + part.size());
  return static_cast<double>(python_length(text));
}

/// What follows the last "<answer>" up to the next "</answer>", as far as there are such.
std::string_view xml_answer(std::string_view text) {
  constexpr std::string_view kOpen = "<answer>";
  const size_t at = text.rfind(kOpen);
  if (at != std::string_view::npos) text.remove_prefix(at + kOpen.size());
  return python_strip(text.substr(0, text.find("</answer>")));
}

/// float(text), else that of its first or last number.
std::optional<double> loose_float(std::string_view text, Which which) {
  static const Regex number(R"(-?\d+\.?\d*)");
  if (const auto whole = python_float(text)) return whole;
  if (which == Which::kFirst) {
    const auto first = number.search(text);
    return first ? python_float(first->text(text)) : std::nullopt;
  }
  const auto all = number.find_all(text);
  return all.empty() ? std::nullopt : python_float(all.back().text(text));
}

/// The number of the first box that has one; a box ends at its first brace and has no line break.
std::optional<double> boxed_number(std::string_view text) {
  constexpr std::string_view kBox = "\\boxed{";
  for (size_t at = 0;;) {
    const size_t box = text.find(kBox, at);
    if (box == std::string_view::npos) return std::nullopt;
    const size_t begin = box + kBox.size(), end = text.find_first_of("}\n", begin);
    if (end == std::string_view::npos) return std::nullopt;
    at = end;
    if (text[end] == '\n') continue;
    const std::string_view content = python_strip(text.substr(begin, end - begin));
    if (content.find_first_not_of('.') == std::string_view::npos) continue;  // "...", or nothing
    if (const auto number = loose_float(content, Which::kFirst)) return number;
  }
}

}  // namespace

std::optional<std::string> extract_hash_answer(std::string_view text) {
  const size_t at = text.find("####");
  if (at == std::string_view::npos) return std::nullopt;
  return std::string(python_strip(text.substr(at + 4)));
}

std::optional<double> gsm8k_gold_released(std::string_view text) {
  static const Regex gold(R"(####\s*\$?([\d,]+(?:\.\d+)?))");
  const auto match = gold.search(text);
  if (!match) return std::nullopt;
  return python_float(replace_all(match->text(text, 1), ",", ""));
}

std::string gsm8k_boxed_extracted(std::string_view completion) {
  static const Regex phrase(R"(The answer is (\-?[0-9\.,]+).)"), hashes(R"(#### (\-?[0-9\.,]+))");
  for (const Regex& pattern : {phrase, hashes})
    if (const auto match = pattern.search(completion))
      return std::string(match->text(completion, 1));
  const size_t end = completion.find_last_of("0123456789");
  if (end == std::string_view::npos) return "";
  size_t begin = completion.find_last_not_of("0123456789", end) + 1;  // npos + 1 is 0
  if (begin > 0 && completion[begin - 1] == '-') --begin;
  return std::string(completion.substr(begin, end + 1 - begin));
}

std::optional<double> gsm8k_boxed_released(const Attempt& attempt) {
  return gsm8k_boxed_extracted(attempt.completion) == attempt.example->answer ? 1.0 : 0.0;
}

std::optional<double> gsm8k_xml_count_released(const Attempt& attempt) {
  const std::string_view text = attempt.completion;
  double score = 0;
  if (occurrences(text, "<reasoning>\n") == 1) score += 0.125;
  if (occurrences(text, "\n</reasoning>\n") == 1) score += 0.125;
  if (occurrences(text, "\n<answer>\n") == 1)
    score += 0.125 - length_after(text, "\n<answer>\n") * 0.001;
  if (occurrences(text, "\n</answer>") == 1)
    score += 0.125 - (length_after(text, "\n</answer>") - 1) * 0.001;
  return score;
}

std::optional<double> gsm8k_xml_soft_format_released(const Attempt& attempt) {
  constexpr std::string_view kClose = "</reasoning>", kAnswer = "<answer>";
  std::string_view text = attempt.completion;
  if (!text.starts_with("<reasoning>")) return 0.0;
  for (size_t at = 0; (at = text.find(kClose, at)) != std::string_view::npos;) {
    at += kClose.size();
    const std::string_view rest = python_lstrip(text.substr(at));
    if (!rest.starts_with(kAnswer)) continue;
    return rest.find("</answer>", kAnswer.size()) == std::string_view::npos ? 0.0 : 0.5;
  }
  return 0.0;
}

std::optional<double> gsm8k_xml_strict_format_released(const Attempt& attempt) {
  constexpr std::string_view kBegin = "<reasoning>\n", kEnd = "\n</answer>\n",
                             kMiddle = "\n</reasoning>\n<answer>\n";
  std::string_view text = attempt.completion;
  if (!text.starts_with(kBegin)) return 0.0;
  const size_t middle = text.find(kMiddle, kBegin.size());
  if (middle == std::string_view::npos) return 0.0;
  text.remove_prefix(middle + kMiddle.size());
  const bool whole = text.ends_with(kEnd) || text.ends_with("\n</answer>\n\n");  // as $ allows
  return whole ? 0.5 : 0.0;
}

std::optional<double> gsm8k_xml_int_released(const Attempt& attempt) {
  return python_isdigit(xml_answer(attempt.completion)) ? 0.5 : 0.0;
}

std::optional<double> gsm8k_xml_correctness_released(const Attempt& attempt) {
  return xml_answer(attempt.completion) == attempt.example->answer ? 2.0 : 0.0;
}

ReleasedNumber gsm8k_eval_released(const Attempt& attempt) {
  std::optional<double> number = boxed_number(attempt.generation);
  if (const auto answer = first_answer(attempt.generation); !number && answer)
    number = loose_float(*answer, Which::kLast);
  const auto gold = gsm8k_gold_released("#### " + attempt.example->answer);
  return {.extracted = number, .correct = number && number == gold};
}

}  // namespace gdsd
