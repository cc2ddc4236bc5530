// Rewards for programs that a model wrote.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "gdsd/reward/reward.h"
#include "gdsd/reward/sandbox.h"

namespace gdsd {

/// One ``` … ``` of a text.
struct Fence {
  std::string_view language;  // what follows the opening ``` on its line, without spaces
  std::string_view body;      // from the next line to the closing ```, or the end
  bool closed = false;
};

/// The fenced blocks of a text, left to right. A ``` closes wherever it stands; one that opens needs
/// a line after it.
std::vector<Fence> fences(std::string_view text);

/// The program in a completion: the last block called python, py or python3, else the last block,
/// else the whole completion, if it is a program; nullopt for none. The last fence may be open.
std::optional<std::string> program_of(Sandbox& sandbox, std::string_view completion);

/// For evaluation: program_of() the completion, after example.context, against example.tests. No program is a failure.
/// Throws Error for an example without tests.
Outcome judge_code(Sandbox& sandbox, std::string_view completion, const Example& example);

/// The fraction of the tests that pass, judge_code()'s. nullopt for an example without tests. Throws
/// Error where no contained process can be had, which is no fault of the completion.
Reward code_reward(std::shared_ptr<Sandbox> sandbox);

/// Whether a completion is what was asked for: text, then exactly one ```python block, closed, and
/// nothing after it but white space. 1 if it holds a program, 0.5 if a syntax error, 0 for all else,
/// an empty program among it. Python's parser reads it, contained; nothing runs.
Reward code_format(std::shared_ptr<Sandbox> sandbox);

/// The released code_format_reward: no ``` before "```python\n", none between it and "```", after
/// which at most a newline follows. 1 if Python 3.11 parses it (also if empty), 0.5 for a
/// SyntaxError, else 0.
Reward code_format_released(std::shared_ptr<Sandbox> sandbox);

/// The released code_reward: 0 unless code_format_released is 1, and for a program with one of the
/// forbidden words in it, "import os" and the like; else the fraction of tests that raise nothing
/// within a second when program and test run in one process and namespace. So a program can pass
/// by patching what tests use: this is for comparison. nullopt for an example without tests.
Reward code_released(std::shared_ptr<Sandbox> sandbox);

}  // namespace gdsd
