// Options of the tasks whose problems are texts in files.
#pragma once

#include "gdsd/data/files.h"
#include "gdsd/data/judging.h"
#include "gdsd/data/prompts.h"

namespace gdsd {

inline constexpr const char* kRewardsHelp =
    "what training is rewarded for, as \"name weight, name weight\"; empty: the task's own";

/// Example: problem the question, answer what stands after "####" ("1,234").
struct Gsm8kOptions {
  static constexpr std::string_view kName = "gsm8k";
  TaskFiles files = {};
  Gsm8kPrompt prompt = Gsm8kPrompt::kBoxed;
  std::string rewards = {};

  template <class F>
  void fields(F&& f) {
    files.fields(f);
    f("prompt", prompt, kGsm8kPromptHelp);
    f("rewards", rewards, kRewardsHelp);
  }
  void validate() const { files.validate(/*has_generator=*/false); }
};

/// Example: answer what the last box of the solution holds, or the file's own `answer`; the whole
/// solution is `solution` of the record.
struct MathOptions {
  static constexpr std::string_view kName = "math";
  TaskFiles files = {};
  MathPrompt prompt = MathPrompt::kBoxed;
  std::string rewards = {};

  template <class F>
  void fields(F&& f) {
    files.fields(f);
    f("prompt", prompt, kMathPromptHelp);
    f("rewards", rewards, kRewardsHelp);
  }
  void validate() const { files.validate(/*has_generator=*/false); }
};

/// Example: problem the question, tests the Python that judges a program, answer a program that
/// passes, or "". Of HumanEval the record has `entry_point` and `context`: what the program's own
/// code goes after.
struct CodeOptions {
  static constexpr std::string_view kName = "code";
  TaskFiles files = {};
  CodePrompt prompt = CodePrompt::kGdsd;
  std::string rewards = {};
  SandboxOptions sandbox = {};

  template <class F>
  void fields(F&& f) {
    files.fields(f);
    f("prompt", prompt, kCodePromptHelp);
    f("rewards", rewards, kRewardsHelp);
    f("sandbox", sandbox, "");
  }
  void validate() const { files.validate(/*has_generator=*/false); }
};

/// Example: problem the record's `prompt`, answer its `answer`, record all of it.
struct CustomOptions {
  static constexpr std::string_view kName = "custom";
  TaskFiles files = {};
  CustomPrompt prompt = CustomPrompt::kChat;
  std::string system = {};
  std::string rewards = {};
  ExternalOptions external = {};

  template <class F>
  void fields(F&& f) {
    files.fields(f);
    f("prompt", prompt, kCustomPromptHelp);
    f("system", system, "of prompt chat: a system message before it; empty: none");
    f("rewards", rewards, kRewardsHelp);
    f("external", external, "");
  }
  void validate() const { files.validate(/*has_generator=*/false); }
};

}  // namespace gdsd
