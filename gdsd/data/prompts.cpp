// The texts are those of the released codes, slips and all: a model was trained or judged on them.
#include "gdsd/data/prompts.h"

#include "gdsd/base/check.h"
#include "gdsd/text/python_text.h"

namespace gdsd {
namespace {

constexpr std::string_view kHeader =
    "\nRespond in the following format:\n<reasoning>\n...\n</reasoning>\n<answer>\n...\n"
    "</answer>\n";

/// The frame of math_eval, after a text of its own.
constexpr std::string_view kBoxedHeader =
    "Respond in the following format:\n<reasoning>\nYour reasoning here\n</reasoning>\n<answer>\n"
    "\\boxed{...}\n</answer>";

constexpr const char* kBegunAnswer = "<reasoning>";

Wording user(std::string content, std::string suffix = {}) {
  return {.messages = {{"user", std::move(content)}}, .suffix = std::move(suffix)};
}

[[noreturn]] void refuse_bare(const char* task) {
  throw Error(concat("[", task, "] 'bare' is the problem itself, no wording."));
}

/// As Python prints a list: "[30, 100, 93]".
std::string python_list(std::span<const int64_t> numbers) {
  std::string text = "[";
  for (size_t i = 0; i < numbers.size(); ++i)
    text += (i == 0 ? "" : ", ") + std::to_string(numbers[i]);
  return text + "]";
}

// 4x4 sudoku.

constexpr std::string_view kSudokuAsk =
    "\nPlease solve the following 4x4 Sudoku puzzle. The puzzle is provided as a 16-character "
    "string reading left-to-right, top-to-bottom, where '0' represents empty cells.\n\n";

constexpr std::string_view kSudokuRules =
    "- Fill empty cells with digits 1-4.\n- Each row must contain digits 1-4 exactly once.\n"
    "- Each column must contain digits 1-4 exactly once.\n"
    "- Each 2x2 box must contain digits 1-4 exactly once.\n";

constexpr std::string_view kSudokuExample =
    "\n**Example:**\nPuzzle: 0401002010030310\nThis puzzle grid looks like this:\n"
    "0 4 | 0 1\n0 0 | 2 0\n----+----\n1 0 | 0 3\n0 3 | 1 0\n\n"
    "Solution: 2431312412434312\nThe solved grid looks like this:\n"
    "2 4 | 3 1\n3 1 | 2 4\n----+----\n1 2 | 4 3\n4 3 | 1 2\n";

constexpr std::string_view kSudokuComplete =
    "Your solution must be a COMPLETE 16-character string with only the digits 1-4, representing "
    "your final solved grid.\n\n";

constexpr std::string_view kSudokuFormat =
    "Respond in this exact format:\n<reasoning>\nYour step-by-step solving process\n</reasoning>\n"
    "<answer>\n[16-character solution string with no spaces or separators]\n</answer>\n";

/// What stands before the puzzle.
std::string sudoku_text(SudokuPrompt prompt) {
  switch (prompt) {
    case SudokuPrompt::kGdsd:
      return concat(replace_all(kSudokuAsk, "16-character string", "16-character\nstring"),
                    "Rules:\n", kSudokuRules, "\n", kSudokuFormat,
                    "\n\nNow solve this Sudoku puzzle: ");
    case SudokuPrompt::kD1:
    case SudokuPrompt::kMathEval:
      return concat(kSudokuAsk, "Rules:\n", replace_all(kSudokuRules, ".\n", "\n"),
                    "\nImportant: ", kSudokuComplete, kSudokuFormat,
                    "\n\nSolve the following Sudoku puzzle: ");
    case SudokuPrompt::kEspo:
    case SudokuPrompt::kEval:
      return concat(kSudokuAsk, "**Rules:**\n", kSudokuRules, kSudokuExample, "\n**Important:** ",
                    kSudokuComplete, kSudokuFormat,
                    prompt == SudokuPrompt::kEspo ? "\n\nNow, solve" : "\n\nSolve",
                    " the following Sudoku puzzle: ");
    case SudokuPrompt::kBare: break;
  }
  refuse_bare("sudoku");
}

}  // namespace

std::string render(const Wording& wording, ChatTemplate chat) {
  if (chat != ChatTemplate::kNone) return render_chat(chat, wording.messages) + wording.suffix;
  std::string text;
  for (const Message& message : wording.messages)
    text += (text.empty() ? "" : "\n\n") + message.content;
  return text + (wording.suffix.empty() ? "" : "\n\n") + wording.suffix;
}

Wording sudoku_wording(SudokuPrompt prompt, std::string_view puzzle) {
  constexpr size_t kCells = 16, kLargeCells = 81;
  check(puzzle.size() == kCells || puzzle.size() == kLargeCells, "[sudoku] the puzzle has ",
        puzzle.size(), " characters, expected 16 or 81.");
  std::string text = sudoku_text(prompt);
  if (puzzle.size() == kLargeCells) {
    check(prompt != SudokuPrompt::kEspo && prompt != SudokuPrompt::kEval,
          "[sudoku] prompts espo and eval show a 4x4 example, and the puzzle is 9x9: expected "
          "gdsd, d1 or math_eval.");
    for (const auto& [small, large] : {std::pair{"4x4", "9x9"},
                                       {"16-character", "81-character"},
                                       {"digits 1-4", "digits 1-9"},
                                       {"2x2", "3x3"}})
      text = replace_all(text, small, large);
  }
  const bool begun = prompt == SudokuPrompt::kEval || prompt == SudokuPrompt::kMathEval;
  return user(concat(text, puzzle, "\n"), begun ? kBegunAnswer : "");
}

Wording countdown_wording(CountdownPrompt prompt, std::span<const int64_t> numbers,
                          int64_t target) {
  const std::string list = python_list(numbers);
  const std::string ask =
      concat(kHeader, "\nUsing only the numbers ", list,
             ", create an arithmetic expression that evaluates to exactly ", target, ". ");
  switch (prompt) {
    case CountdownPrompt::kGdsd:
      return user(ask +
                  "Use every number exactly once. Use +, -, *, and / as needed. Put only the final "
                  "expression inside <answer></answer> tags.");
    case CountdownPrompt::kD1:
    case CountdownPrompt::kEval:
      return user(
          ask +
              "You must use all numbers from the list, and each number must be used exactly once. "
              "You may use the operations +, -, *, and / as needed. After reasoning, provide only "
              "your final expression inside <answer></answer> tags without including an equals "
              "sign or the target number. For example, if the numbers are [2, 3, 4] and the target "
              "is 5, a valid answer is: <answer>\n2*4-3\n</answer>",
          prompt == CountdownPrompt::kEval ? kBegunAnswer : "");
    case CountdownPrompt::kMathEval:
      return user(
          concat("Using only the provided numbers, create an arithmetic expression that evaluates "
                 "to exactly the provided target number. You may use the operations +, -, *, and / "
                 "as needed, but each number must be used exactly once. Think step-by-step. After "
                 "reasoning, provide only your final expression inside \\boxed{} tags without "
                 "including an equals sign or the target number. For example: \\boxed{a + b * c}",
                 kBoxedHeader, "\n\nNumbers: ", list, "\nTarget: ", target),
          kBegunAnswer);
    case CountdownPrompt::kBare: break;
  }
  refuse_bare("countdown");
}

namespace {

constexpr std::string_view kBoxedAsk =
    "\nPlease reason step by step, and put your final answer within \\boxed{}.";
constexpr std::string_view kMathExpert =
    "You are a math expert. You will be given a question to solve. Solve it step by step. Wrap the "
    "final answer in a \\boxed{}.";

}  // namespace

Wording gsm8k_wording(Gsm8kPrompt prompt, std::string_view question) {
  switch (prompt) {
    case Gsm8kPrompt::kBoxed: return user(concat(question, kBoxedAsk));
    case Gsm8kPrompt::kXml: return user(concat(kHeader, "\n\n", question));
    case Gsm8kPrompt::kMathEval:
      return user(concat(kMathExpert, " \n", kBoxedHeader, "\n\n", question), kBegunAnswer);
    case Gsm8kPrompt::kBare: break;
  }
  refuse_bare("gsm8k");
}

Wording math_wording(MathPrompt prompt, std::string_view problem) {
  switch (prompt) {
    case MathPrompt::kBoxed: return user(concat(problem, kBoxedAsk));
    case MathPrompt::kXml:
      return user(
          concat(kHeader,
                 "\n\nYou are a math expert. Solve the problem step by step. Wrap the final "
                 "answer in a \\boxed{}.\n\n",
                 problem));
    case MathPrompt::kD1: return user(concat(kHeader, "\n\n", kMathExpert, " \n\n", problem));
    case MathPrompt::kMathEval:
      return user(concat(kMathExpert, "\n", kBoxedHeader, "\" \n\n\n", problem), kBegunAnswer);
    case MathPrompt::kBare: break;
  }
  refuse_bare("math");
}

Wording code_wording(CodePrompt prompt, std::string_view question, std::string_view first_test) {
  switch (prompt) {
    case CodePrompt::kGdsd: {
      const bool shows_test =
          !first_test.empty() && question.find("\n```\n") == std::string_view::npos;
      return {.messages = {
                  {"system",
                   "You are a helpful assistant. When you output code, it must be in a single "
                   "fenced code block using triple backticks and the language specifier. The code "
                   "block must be the last part of your response."},
                  {"user", shows_test ? concat(question, "\nTest cases: ", first_test)
                                      : std::string(question)}}};
    }
    case CodePrompt::kXml:
      return user(
          concat(kHeader,
                 "\n\nYou are a coding expert. You will be given a coding problem to solve. "
                 "Solve it step by step. \n\n",
                 question));
    case CodePrompt::kBare: break;
  }
  refuse_bare("code");
}

}  // namespace gdsd
