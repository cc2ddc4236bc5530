#include "gdsd/data/layouts.h"

#include "gdsd/base/check.h"
#include "gdsd/base/regex.h"
#include "gdsd/data/sudoku_grid.h"
#include "gdsd/text/answer.h"
#include "gdsd/text/python_text.h"

namespace gdsd {
namespace {

using nlohmann::json;

/// A record and where it stands, for errors.
struct Read {
  const json& value;
  std::string where;  // "FILE:LINE"

  template <class... Keys>
  bool has(const Keys*... keys) const {
    return (value.contains(keys) && ...);
  }

  /// A text under the key; empty only where that is allowed.
  std::string text(const char* key, bool may_be_empty = false) const {
    const auto found = value.find(key);
    check(found != value.end() && found->is_string(), where, ": `", key, "` is ",
          found == value.end() ? "missing" : found->type_name(), ", expected a text.");
    std::string out = found->get<std::string>();
    check(may_be_empty || !python_strip(out).empty(), where, ": `", key, "` is empty.");
    return out;
  }

  std::vector<std::string> texts(const char* key) const {
    const auto found = value.find(key);
    check(found != value.end() && found->is_array(), where, ": `", key, "` is ",
          found == value.end() ? "missing" : found->type_name(), ", expected a list of texts.");
    std::vector<std::string> out;
    for (const json& item : *found) {
      check(item.is_string(), where, ": `", key, "` has a ", item.type_name(),
            ", expected a list of texts.");
      out.push_back(item.get<std::string>());
    }
    return out;
  }

  [[noreturn]] void unknown(std::string_view task, const char* known) const {
    std::string keys;
    for (auto item = value.begin(); item != value.end(); ++item)
      keys += (keys.empty() ? "" : ", ") + item.key();
    throw Error(concat(where, ": has the keys ", keys.empty() ? "of nothing" : keys, "; a ", task,
                       " record has ", known, "."));
  }
};

// Sudoku.

OrderedJson convert(const SudokuOptions&, const Read& r) {
  std::string puzzle, solution;
  if (r.has("puzzle", "solution"))
    puzzle = r.text("puzzle"), solution = r.text("solution");
  else if (r.has("Puzzle", "Solution"))
    puzzle = r.text("Puzzle"), solution = r.text("Solution");
  else if (r.has("quizzes", "solutions"))
    puzzle = r.text("quizzes"), solution = r.text("solutions");
  else
    r.unknown("sudoku", "`puzzle` and `solution`, or `Puzzle` and `Solution`");
  puzzle = replace_all(puzzle, ".", "0");
  const int64_t side = sudoku_side(puzzle.size());
  check(side > 0 && puzzle.size() == solution.size(), r.where, ": puzzle and solution have ",
        puzzle.size(), " and ", solution.size(), " characters, expected 16 or 81 each.");
  check(is_sudoku_solution(solution), r.where, ": the solution \"", solution,
        "\" is no grid: expected each digit from 1 to ", side,
        " once in every row, column and box.");
  for (size_t cell = 0; cell < puzzle.size(); ++cell)
    check(puzzle[cell] == '0' || puzzle[cell] == solution[cell], r.where, ": the puzzle has '",
          puzzle[cell], "' in cell ", cell + 1, ", and the solution '", solution[cell], "'.");
  return {{"puzzle", puzzle}, {"solution", solution}};
}

Example example(const SudokuOptions&, const OrderedJson& c) {
  return {.problem = c.at("puzzle"), .answer = c.at("solution")};
}

// Countdown.

int64_t number(const json& value, const std::string& where, const char* key) {
  constexpr int64_t kLargest = 999'999'999;
  const int64_t n = value.is_number_integer() ? value.get<int64_t>() : -1;
  check(n >= 0 && n <= kLargest, where, ": `", key, "` has ",
        value.is_number() ? value.dump() : value.type_name(), ", expected whole numbers from 0 to ",
        kLargest, ".");
  return n;
}

OrderedJson countdown_record(const CountdownPuzzle& puzzle, const Read& r) {
  constexpr size_t kMostNumbers = 16;
  check(!puzzle.numbers.empty() && puzzle.numbers.size() <= kMostNumbers, r.where, ": ",
        puzzle.numbers.size(), " numbers, expected 1 to ", kMostNumbers, ".");
  for (int64_t n : puzzle.numbers) number(json(n), r.where, "numbers");
  number(json(puzzle.target), r.where, "target");
  OrderedJson out{{"numbers", puzzle.numbers}, {"target", puzzle.target}};
  if (r.has("solution")) out["solution"] = r.text("solution");
  return out;
}

OrderedJson convert(const CountdownOptions&, const Read& r) {
  if (r.has("input", "output")) {
    CountdownPuzzle puzzle;
    try {
      puzzle = parse_countdown(replace_all(r.text("input") + "=" + r.text("output"), " ", ""));
    } catch (const Error& e) {
      throw Error(concat(r.where, ": ", e.what()));
    }
    return countdown_record(puzzle, r);
  }
  const char* key = r.has("nums") ? "nums" : "numbers";
  if (!r.has(key, "target"))
    r.unknown(
        "countdown",
        "`numbers` and `target`, `nums` and `target`, or `input` (\"30,100,93\") and `output`");
  const json& list = r.value.at(key);
  check(list.is_array(), r.where, ": `", key, "` is ", list.type_name(), ", expected a list.");
  CountdownPuzzle puzzle{.numbers = {}, .target = number(r.value.at("target"), r.where, "target")};
  for (const json& item : list) puzzle.numbers.push_back(number(item, r.where, key));
  return countdown_record(puzzle, r);
}

Example example(const CountdownOptions&, const OrderedJson& c) {
  std::string problem;
  for (const OrderedJson& n : c.at("numbers"))
    problem += (problem.empty() ? "" : ",") + std::to_string(n.get<int64_t>());
  return {.problem = concat(problem, "=", c.at("target").get<int64_t>()),
          .answer = c.value("solution", "")};
}

// GSM8K.

OrderedJson convert(const Gsm8kOptions&, const Read& r) {
  constexpr std::string_view kMark = "####";
  if (!r.has("question", "answer")) r.unknown("gsm8k", "`question` and `answer`");
  const std::string text = r.text("answer");
  OrderedJson out{{"question", r.text("question")}};
  if (r.has("solution")) {
    out["answer"] = text;
    out["solution"] = r.text("solution");
    return out;
  }
  const size_t mark = text.find(kMark);
  check(mark != std::string::npos, r.where,
        ": `answer` has no \"####\", after which the number stands.");
  const std::string_view rest = std::string_view(text).substr(mark + kMark.size());
  const std::string_view answer = python_strip(rest.substr(0, rest.find(kMark)));
  check(answer.find_first_of("0123456789") != std::string_view::npos, r.where,
        ": no number stands after the \"####\" of `answer`.");
  out["answer"] = answer;
  out["solution"] = text;
  return out;
}

Example example(const Gsm8kOptions&, const OrderedJson& c) {
  return {.problem = c.at("question"), .answer = c.at("answer")};
}

// MATH.

OrderedJson convert(const MathOptions&, const Read& r) {
  if (!r.has("problem", "solution"))
    r.unknown("math", "`problem`, `solution` and perhaps `answer`");
  OrderedJson out{{"problem", r.text("problem")}};
  const std::string solution = r.text("solution");
  const auto answer = r.has("answer") ? r.text("answer") : solution_box(solution);
  check(answer && !python_strip(*answer).empty(), r.where,
        ": no `answer`, and no \\boxed{} with one in `solution`.");
  out["answer"] = *answer;
  out["solution"] = solution;
  for (const char* key : {"subject", "type", "level"})
    if (r.has(key)) out[key] = r.value.at(key);
  return out;
}

Example example(const MathOptions&, const OrderedJson& c) {
  return {.problem = c.at("problem"), .answer = c.at("answer")};
}

// Code.

/// A function to be completed: what its program must go after, and what is asked and tested. The
/// test has the context of its own, so that a program cannot redefine what it is tested with.
OrderedJson human_eval(const Read& r) {
  const std::string code = r.text("prompt"), name = r.text("entry_point");
  const std::string head = "def " + name + "(";
  const size_t at = code.starts_with(head) ? 0 : code.find("\n" + head);
  check(at != std::string::npos, r.where, ": `prompt` does not define `entry_point`, ", name, ".");
  const std::string context = at == 0 ? "" : code.substr(0, at + 1);
  return {{"question", concat("Complete the following Python function:\n```python\n",
                              python_rstrip(code), "\n```\n")},
          {"tests", OrderedJson::array({concat(context, r.text("test"), "\ncheck(", name, ")")})},
          {"entry_point", name},
          {"context", context},
          {"solution", code + r.text("canonical_solution")}};
}

/// Tests with what each needs before it.
OrderedJson code_record(const Read& r, const char* question, const char* tests,
                        const std::string& before = {}) {
  OrderedJson out{{"question", r.text(question)}, {"tests", OrderedJson::array()}};
  for (const std::string& test : r.texts(tests)) {
    check(!python_strip(test).empty(), r.where, ": `", tests, "` has an empty one.");
    out["tests"].push_back(before + test);
  }
  check(!out["tests"].empty(), r.where, ": `", tests, "` is empty.");
  for (const char* key : {"entry_point", "context"})
    if (r.has(key)) out[key] = r.text(key, /*may_be_empty=*/true);
  for (const char* key : {"solution", "code"})
    if (r.has(key) && !out.contains("solution")) out["solution"] = r.text(key);
  return out;
}

OrderedJson convert(const CodeOptions&, const Read& r) {
  if (r.has("prompt", "canonical_solution", "test", "entry_point")) return human_eval(r);
  if (r.has("question", "tests")) return code_record(r, "question", "tests");
  if (r.has("question", "test_cases")) return code_record(r, "question", "test_cases");
  const char* question = r.has("prompt") ? "prompt" : "text";
  if (!r.has(question, "test_list"))
    r.unknown(
        "code",
        "`question` and `tests` or `test_cases`; of MBPP `prompt` or `text`, and `test_list`; "
        "of HumanEval `prompt`, `canonical_solution`, `test` and `entry_point`");
  std::string before;
  if (r.has("test_imports"))
    for (const std::string& line : r.texts("test_imports")) before += line + "\n";
  if (r.has("test_setup_code")) {
    const std::string setup = r.text("test_setup_code", /*may_be_empty=*/true);
    if (!python_strip(setup).empty()) before += setup + "\n";
  }
  return code_record(r, question, "test_list", before);
}

Example example(const CodeOptions&, const OrderedJson& c) {
  return {.problem = c.at("question"),
          .answer = c.value("solution", ""),
          .tests = c.at("tests").get<std::vector<std::string>>(),
          .context = c.value("context", "")};
}

// Records of the user's own.

OrderedJson convert(const CustomOptions&, const Read& r) {
  if (!r.has("prompt", "answer")) r.unknown("custom", "`prompt`, `answer` and whatever else");
  OrderedJson out{{"prompt", r.text("prompt")}, {"answer", r.value.at("answer")}};
  check(!out["answer"].is_null(), r.where, ": `answer` is null; \"\" says that there is none.");
  if (r.has("tests")) r.texts("tests");
  for (auto item = r.value.begin(); item != r.value.end(); ++item)
    if (!out.contains(item.key()) && item.key() != "source") out[item.key()] = item.value();
  return out;
}

Example example(const CustomOptions&, const OrderedJson& c) {
  const OrderedJson& answer = c.at("answer");
  Example out{.problem = c.at("prompt"),
              .answer = answer.is_string() ? answer.get<std::string>() : answer.dump()};
  if (c.contains("tests")) out.tests = c.at("tests").get<std::vector<std::string>>();
  return out;
}

}  // namespace

OrderedJson canonical(const TaskOptions& task, const Record& record,
                      const std::filesystem::path& file) {
  static const Regex kPlace(R"(^[^:]+:[0-9]+$)");
  const Read read{record.value, concat(file.string(), ":", record.line)};
  OrderedJson out = std::visit([&](const auto& o) { return convert(o, read); }, task);
  const auto source = record.value.find("source");
  const bool is_place = source != record.value.end() && source->is_string() &&
                        kPlace.search(source->get_ref<const std::string&>());
  out["source"] = is_place ? source->get<std::string>() : source_of(file, record.line);
  return out;
}

Example example_of(const TaskOptions& task, const OrderedJson& canonical) {
  Example out = std::visit([&](const auto& o) { return example(o, canonical); }, task);
  out.source = canonical.at("source");
  out.record = canonical.dump();
  return out;
}

}  // namespace gdsd
