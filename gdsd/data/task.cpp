// From a task's options to its problems.
#include "gdsd/data/task.h"

#include "gdsd/base/json.h"
#include "gdsd/data/layouts.h"
#include "gdsd/data/prepare.h"
#include "gdsd/data/task_problems.h"

namespace gdsd {
namespace {

std::unique_ptr<Problems> generator(const SudokuOptions& o) {
  if (o.side == 9) return std::make_unique<LargeSudoku>(o);
  return std::make_unique<Sudoku>(o);
}
std::unique_ptr<Problems> generator(const CountdownOptions& o) {
  if (o.is_small()) return std::make_unique<Countdown>(o);
  return std::make_unique<RandomCountdown>(o);
}
std::unique_ptr<Problems> generator(const auto& o) {
  o.validate();
  return nullptr;
}

// The wording of an example; never asked for where the prompt is bare.
Wording wording(const SudokuOptions& o, const Example& e) {
  return sudoku_wording(o.prompt, e.problem);
}
Wording wording(const CountdownOptions& o, const Example& e) {
  const CountdownPuzzle puzzle = parse_countdown(e.problem);
  return countdown_wording(o.prompt, puzzle.numbers, puzzle.target);
}
Wording wording(const Gsm8kOptions& o, const Example& e) {
  return gsm8k_wording(o.prompt, e.problem);
}
Wording wording(const MathOptions& o, const Example& e) {
  return math_wording(o.prompt, e.problem);
}
Wording wording(const CodeOptions& o, const Example& e) {
  return code_wording(o.prompt, e.problem, e.tests.empty() ? "" : e.tests[0]);
}
Wording wording(const CustomOptions& o, const Example& e) {
  Wording out;
  if (!o.system.empty()) out.messages.push_back({"system", o.system});
  out.messages.push_back({"user", e.problem});
  return out;
}

std::string identity(const CountdownOptions&, const Example& e) {
  return countdown_pair(parse_countdown(e.problem));
}
std::string identity(const auto&, const Example& e) { return e.problem; }

std::string family(const SudokuOptions&, const Example& e) { return e.answer; }
std::string family(const auto& o, const Example& e) { return identity(o, e); }

std::string demonstrate(const SudokuOptions& o, const Example& e, Key key) {
  return sudoku_demonstration(e, o, key);
}
std::string demonstrate(const CountdownOptions& o, const Example& e, Key key) {
  return countdown_demonstration(e, o.right, key);
}
std::string demonstrate(const auto&, const Example& e, Key) {
  const auto record = parse_json_object(e.record, e.source);
  const auto solution = record.find("solution");
  check(solution != record.end() && solution->is_string(), e.source,
        ": the record has no `solution`, the text that a model would be shown.");
  return solution->template get<std::string>();
}

}  // namespace

std::unique_ptr<Problems> generator_of(const TaskOptions& options) {
  return std::visit([](const auto& o) { return generator(o); }, options);
}

std::unique_ptr<Problems> problems_of(const TaskOptions& options, ChatTemplate chat) {
  auto made = generator_of(options);
  return std::visit(
      [&](const auto& o) -> std::unique_ptr<Problems> {
        const bool bare = to_text(o.prompt) == "bare";
        if (bare && o.files.train.empty() && o.files.test.empty()) return std::move(made);
        TaskParts parts{.generator = std::move(made), .order = o.files.order};
        if (!o.files.train.empty()) parts.train = read_examples(options, o.files.train);
        if (!o.files.test.empty()) parts.test = read_examples(options, o.files.test);
        parts.prompt = [o, bare, chat](const Example& e) {
          return bare ? e.problem : render(wording(o, e), chat);
        };
        parts.identity = [o](const Example& e) { return identity(o, e); };
        parts.family = [o](const Example& e) { return family(o, e); };
        parts.demonstrate = [o](const Example& e, Key key) { return demonstrate(o, e, key); };
        return std::make_unique<TaskProblems>(std::move(parts));
      },
      options);
}

}  // namespace gdsd
