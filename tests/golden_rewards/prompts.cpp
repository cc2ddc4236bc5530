// prompts.json: the messages of the released training codes and evaluations, exactly.
#include "gdsd/data/prompts.h"

#include "gdsd/base/check.h"
#include "tests/golden_rewards/rewards.h"
#include "tests/golden_test/registry.h"

namespace gdsd::golden {
namespace {

/// The wording that an entry of kind "train" was made with, from the fields of its dataset.
Wording training_wording(const std::string& task, const json& from) {
  if (task == "sudoku")
    return sudoku_wording(SudokuPrompt::kGdsd, from.at("puzzle").get<std::string>());
  if (task == "countdown")
    return countdown_wording(CountdownPrompt::kGdsd, from.at("nums").get<std::vector<int64_t>>(),
                             from.at("target"));
  if (task.starts_with("gsm8k"))
    return gsm8k_wording(task == "gsm8k" ? Gsm8kPrompt::kBoxed : Gsm8kPrompt::kXml,
                         from.at("question").get<std::string>());
  if (task.starts_with("math"))
    return math_wording(task == "math" ? MathPrompt::kBoxed : MathPrompt::kXml,
                        from.at("problem").get<std::string>());
  check(task == "code", "unknown task ", task, ".");
  return code_wording(CodePrompt::kGdsd, from.at("question").get<std::string>(),
                      from.at("test_cases").at(0).get<std::string>());
}

/// Of kind "eval": from the question as the evaluation logs it.
Wording evaluation_wording(const std::string& suite, const std::string& task, const json& entry) {
  const bool boxed = suite == "math_eval";
  check(boxed || suite == "eval", "unknown suite ", suite, ".");
  std::string question = entry.at("question");
  if (task == "sudoku") {
    const std::string ask = "Solve the following Sudoku puzzle: ";
    check(question.starts_with(ask), "another question: ", question);
    return sudoku_wording(boxed ? SudokuPrompt::kMathEval : SudokuPrompt::kEval,
                          question.substr(ask.size(), 16));
  }
  if (task == "countdown")
    return countdown_wording(boxed ? CountdownPrompt::kMathEval : CountdownPrompt::kEval,
                             entry.at("gold").at(0).get<std::vector<int64_t>>(),
                             entry.at("gold").at(1));
  if (task == "gsm8k") return gsm8k_wording(Gsm8kPrompt::kMathEval, question);
  check(task == "math500", "unknown task ", task, ".");
  return math_wording(MathPrompt::kMathEval, question);
}

void check_prompt(const json& entry) {
  const std::string task = entry.at("task");
  const bool train = entry.at("kind") == "train";
  const Wording wording = train ? training_wording(task, entry.at("source"))
                                : evaluation_wording(entry.at("suite"), task, entry);
  EXPECT_EQ(wording.suffix, entry.value("suffix_after_template", ""));
  const json& messages = entry.at(train ? "prompt" : "messages");
  ASSERT_EQ(wording.messages.size(), messages.size());
  for (size_t i = 0; i < messages.size(); ++i) {
    EXPECT_EQ(wording.messages[i].role, messages[i].at("role").get<std::string>());
    EXPECT_EQ(wording.messages[i].content, messages[i].at("content").get<std::string>());
  }
}

}  // namespace

void add_prompts(const path& file) {
  const json all = read_json(file);
  const json& prompts = all.at("prompts");
  check(!prompts.empty(), "no prompts.");
  for (size_t i = 0; i < prompts.size(); ++i)
    add_test("Prompts",
             concat(i, " ", prompts[i].value("suite", "train"), " ",
                    prompts[i].at("task").get<std::string>()),
             [entry = prompts[i]] { check_prompt(entry); });
}

}  // namespace gdsd::golden
