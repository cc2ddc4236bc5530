// Scores the input, as a completion and as a generation, with every reward and parser of sudoku,
// countdown and GSM8K: none may throw, answer what is out of range or take long. What stands before
// a zero byte, if there is one, is the problem or gold answer too, which may be refused.
#include <cmath>
#include <cstdint>
#include <cstdlib>

#include "gdsd/base/check.h"
#include "gdsd/reward/countdown.h"
#include "gdsd/reward/gsm8k.h"
#include "gdsd/reward/sudoku.h"

namespace gdsd {
namespace {

/// Stops the fuzzer unless `ok`.
void must(bool ok) {
  if (!ok) std::abort();
}

void must_be_within(std::optional<double> score, double least, double most) {
  must(score && *score >= least && *score <= most);
}

void score_sudoku(const Example& example, const std::string& text) {
  const Attempt attempt{&example, text, text};
  const auto [right, blanks] = blanks_right(attempt);
  must(right >= 0 && right <= blanks);
  if (blanks > 0) must_be_within(sudoku_reward(attempt), 0, 1);
  if (example.problem.size() != 16) return;
  must_be_within(sudoku_released(attempt), 0, 1);
  const ReleasedSudoku eval = sudoku_eval_released(attempt);
  must(eval.right >= 0 && eval.right <= eval.blanks && eval.blanks == blanks);
}

void score_countdown(const Example& example, const std::string& text) {
  const Attempt attempt{&example, text, text};
  must(countdown_reward(attempt) == (reaches_target(attempt) ? 1.0 : text.empty() ? 0.0 : 0.1));
  must_be_within(countdown_released(attempt), 0, 1);
  (void)countdown_eval_released(attempt, CountdownParser::kEval);
  (void)countdown_eval_released(attempt, CountdownParser::kMathEval);
}

void score_gsm8k(const Example& example, const std::string& text) {
  const Attempt attempt{&example, text, text};
  must_be_within(xml_format_reward(attempt), 0, 1);
  must_be_within(gsm8k_boxed_released(attempt), 0, 1);
  must_be_within(gsm8k_xml_count_released(attempt), -100, 0.51);
  must_be_within(gsm8k_xml_soft_format_released(attempt), 0, 0.5);
  must_be_within(gsm8k_xml_strict_format_released(attempt), 0, 0.5);
  must_be_within(gsm8k_xml_int_released(attempt), 0, 0.5);
  must_be_within(gsm8k_xml_correctness_released(attempt), 0, 2);
  (void)gsm8k_eval_released(attempt);
  (void)extract_hash_answer(text);
  (void)gsm8k_gold_released(text);
  must_be_within(gsm8k_reward(attempt), 0, 1);
}

void score_all(const std::string& text) {
  static const Example small{.problem = "1200340000000000", .answer = "1234341221434321"};
  static const Example large{
      .problem =
          "530070000600195000098000060800060003400803001700020006060000280000419005000080079",
      .answer =
          "534678912672195348198342567859761423426853791713924856961537284287419635345286179"};
  static const Example countdown{.problem = "75,27,17=6"}, gsm8k{.answer = "1,234"};
  score_sudoku(small, text);
  score_sudoku(large, text);
  score_countdown(countdown, text);
  score_gsm8k(gsm8k, text);
}

/// The same with a problem that is the input's: it may be malformed, which is an Error.
void score_given(const std::string& problem, const std::string& text) {
  const Example example{.problem = problem, .answer = problem};
  for (auto score : {score_sudoku, score_countdown, score_gsm8k}) {
    try {
      score(example, text);
    } catch (const Error&) {
      continue;
    }
  }
}

}  // namespace
}  // namespace gdsd

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {  // NOLINT: libFuzzer's
  const std::string input(reinterpret_cast<const char*>(data), size);
  gdsd::score_all(input);
  if (const size_t zero = input.find('\0'); zero != std::string::npos)
    gdsd::score_given(input.substr(0, zero), input.substr(zero + 1));
  return 0;
}
