// How problems are worded: the prompts of the released training codes and evaluations.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gdsd/text/chat.h"

namespace gdsd {

/// What a model is told, and how its answer is begun for it.
struct Wording {
  std::vector<Message> messages;
  std::string suffix = {};  ///< stands after the template, as "<reasoning>" in evaluations
};

/// The text that the model goes on from: messages in the template, then the suffix. Of kNone: the
/// contents and the suffix with an empty line between two.
std::string render(const Wording& wording, ChatTemplate chat);

// `kBare` is the problem itself, in no template; `kEval` and `kMathEval` are the wordings of the
// evaluations in GDSD's eval/ and math_eval/, which begin the answer with "<reasoning>".

enum class SudokuPrompt { kBare, kGdsd, kD1, kEspo, kEval, kMathEval };
constexpr auto enum_names(SudokuPrompt) {
  return std::array{"bare", "gdsd", "d1", "espo", "eval", "math_eval"};
}
inline constexpr const char* kSudokuPromptHelp =
    "bare: the puzzle; gdsd, d1 (also SPG, wd1, DMPO), espo: as trained there; eval, math_eval: as "
    "GDSD evaluates";

enum class CountdownPrompt { kBare, kGdsd, kD1, kEval, kMathEval };
constexpr auto enum_names(CountdownPrompt) {
  return std::array{"bare", "gdsd", "d1", "eval", "math_eval"};
}
inline constexpr const char* kCountdownPromptHelp =
    "bare: the puzzle; gdsd, d1 (also ESPO, SPG, wd1, DMPO): as trained there; eval (d1's text), "
    "math_eval (asks for a box): as GDSD evaluates";

enum class Gsm8kPrompt { kBare, kBoxed, kXml, kMathEval };
constexpr auto enum_names(Gsm8kPrompt) { return std::array{"bare", "boxed", "xml", "math_eval"}; }
inline constexpr const char* kGsm8kPromptHelp =
    "bare: the question; boxed: as GDSD and ESPO train; xml: as d1 does; math_eval: as GDSD "
    "evaluates";

enum class MathPrompt { kBare, kBoxed, kXml, kD1, kMathEval };
constexpr auto enum_names(MathPrompt) {
  return std::array{"bare", "boxed", "xml", "d1", "math_eval"};
}
inline constexpr const char* kMathPromptHelp =
    "bare: the problem; boxed: as GDSD and ESPO train; xml: GDSD's math_xml; d1: as d1, SPG, wd1 "
    "and "
    "DMPO train; math_eval: as GDSD evaluates";

enum class CodePrompt { kBare, kGdsd, kXml };
constexpr auto enum_names(CodePrompt) { return std::array{"bare", "gdsd", "xml"}; }
inline constexpr const char* kCodePromptHelp =
    "bare: the question; gdsd: a fenced block, with the first test; xml: as dllm trains";

enum class CustomPrompt { kBare, kChat };
constexpr auto enum_names(CustomPrompt) { return std::array{"bare", "chat"}; }
inline constexpr const char* kCustomPromptHelp =
    "bare: the record's `prompt` as it is; chat: as a user's message";

/// A puzzle of 16 cells or, where the texts have no 4x4 example, of 81; never for kBare. Throws Error
/// for kEspo and kEval of 81 cells.
Wording sudoku_wording(SudokuPrompt prompt, std::string_view puzzle);
Wording countdown_wording(CountdownPrompt prompt, std::span<const int64_t> numbers, int64_t target);
Wording gsm8k_wording(Gsm8kPrompt prompt, std::string_view question);
Wording math_wording(MathPrompt prompt, std::string_view problem);
/// `first_test`: shown by kGdsd unless the question has a fenced block; "" for none.
Wording code_wording(CodePrompt prompt, std::string_view question, std::string_view first_test);

}  // namespace gdsd
