#include "gdsd/reward/code.h"

#include <algorithm>
#include <array>

#include "gdsd/base/check.h"
#include "gdsd/text/python_text.h"

namespace gdsd {
namespace {

constexpr std::string_view kFence = "```";
constexpr std::string_view kPython = "```python\n";

// The released guard, as substrings of the program.
constexpr std::array<std::string_view, 10> kForbidden = {
    "threading", "multiprocess", "multiprocessing", "import os",      "from os",
    "shutil",    "import torch", "from torch",      "import sklearn", "from sklearn"};

bool is_python(std::string_view language) {
  return language == "python" || language == "py" || language == "python3" || language == "Python";
}

/// The program of a completion of the released format: GDSD, ESPO.
std::optional<std::string> released_block(std::string_view text) {
  const size_t open = text.find(kFence);
  if (open == text.npos || !text.substr(open).starts_with(kPython)) return {};
  const std::string_view body = text.substr(open + kPython.size());
  const size_t close = body.find(kFence);
  if (close == body.npos) return {};
  const std::string_view after = body.substr(close + kFence.size());
  if (!after.empty() && after != "\n") return {};
  return std::string(body.substr(0, close));
}

double format_released(Sandbox& sandbox, const std::optional<std::string>& program) {
  if (!program) return 0;
  switch (sandbox.parse(std::string(python_strip(*program)))) {
    case Syntax::kProgram:
    case Syntax::kEmpty: return 1;
    case Syntax::kSyntaxError: return 0.5;
    case Syntax::kOtherError: return 0;
  }
  return 0;
}

/// The context ends its line.
std::string after_context(const Example& example, const std::string& program) {
  const bool ends = example.context.empty() || example.context.ends_with('\n');
  return concat(example.context, ends ? "" : "\n", program);
}

double fraction(const Outcome& outcome) {
  check(outcome.kind != Outcome::Kind::kRefused, outcome.message);
  return static_cast<double>(outcome.passed) / outcome.total;
}

}  // namespace

std::vector<Fence> fences(std::string_view text) {
  std::vector<Fence> all;
  for (size_t at = 0; (at = text.find(kFence, at)) != text.npos;) {
    const size_t line = text.find('\n', at);
    if (line == text.npos) break;
    const std::string_view head = text.substr(at, line - at);
    const size_t close = text.find(kFence, line + 1);
    all.push_back({python_strip(head.substr(kFence.size())),
                   text.substr(line + 1, close == text.npos ? close : close - line - 1),
                   close != text.npos});
    if (close == text.npos) break;
    at = close + kFence.size();
  }
  return all;
}

std::optional<std::string> program_of(Sandbox& sandbox, std::string_view completion) {
  const std::vector<Fence> all = fences(completion);
  const auto python = std::find_if(all.rbegin(), all.rend(),
                                   [](const Fence& fence) { return is_python(fence.language); });
  if (python != all.rend()) return std::string(python->body);
  if (!all.empty()) return std::string(all.back().body);
  std::string whole(completion);
  if (sandbox.parse(whole) == Syntax::kProgram) return whole;
  return {};
}

Outcome judge_code(Sandbox& sandbox, std::string_view completion, const Example& example) {
  check(!example.tests.empty(), "[code] ", example.source, ": an example without tests.");
  const auto program = program_of(sandbox, completion);
  const int total = static_cast<int>(example.tests.size());
  if (!program) return {Outcome::Kind::kFailed, 0, total, "no program in the completion"};
  return sandbox.run(after_context(example, *program), example.tests);
}

Reward code_reward(std::shared_ptr<Sandbox> sandbox) {
  return [sandbox](const Attempt& attempt) -> std::optional<double> {
    if (attempt.example->tests.empty()) return {};
    return fraction(judge_code(*sandbox, attempt.completion, *attempt.example));
  };
}

Reward code_format(std::shared_ptr<Sandbox> sandbox) {
  return [sandbox](const Attempt& attempt) -> std::optional<double> {
    const std::string_view text = attempt.completion;
    const std::vector<Fence> all = fences(text);
    if (all.size() != 1 || !all[0].closed || all[0].language != "python") return 0;
    const auto end = static_cast<size_t>(all[0].body.data() - text.data()) + all[0].body.size();
    if (!python_strip(text.substr(end + kFence.size())).empty()) return 0;
    switch (sandbox->parse(std::string(all[0].body))) {
      case Syntax::kProgram: return 1;
      case Syntax::kSyntaxError: return 0.5;
      case Syntax::kEmpty:
      case Syntax::kOtherError: return 0;
    }
    return 0;
  };
}

Reward code_format_released(std::shared_ptr<Sandbox> sandbox) {
  return [sandbox](const Attempt& attempt) -> std::optional<double> {
    return format_released(*sandbox, released_block(attempt.completion));
  };
}

Reward code_released(std::shared_ptr<Sandbox> sandbox) {
  return [sandbox](const Attempt& attempt) -> std::optional<double> {
    const auto& tests = attempt.example->tests;
    if (tests.empty()) return {};
    const auto program = released_block(attempt.completion);
    const bool forbidden =
        program && std::any_of(kForbidden.begin(), kForbidden.end(), [&](std::string_view word) {
          return program->find(word) != program->npos;
        });
    if (forbidden || format_released(*sandbox, program) != 1) return 0;
    return fraction(sandbox->run_together(after_context(*attempt.example, *program), tests, 1));
  };
}

}  // namespace gdsd
