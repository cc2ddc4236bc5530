#include "gdsd/data/prepare.h"

#include "gdsd/base/check.h"
#include "gdsd/data/arithmetic.h"
#include "gdsd/data/layouts.h"
#include "gdsd/data/sudoku_grid.h"

namespace gdsd {
namespace {

/// Looks at every record of a task, adds to it what only preparing can, and counts.
class Inspector {
 public:
  explicit Inspector(const TaskOptions& task)
      : sudoku_(std::holds_alternative<SudokuOptions>(task)),
        countdown_(std::holds_alternative<CountdownOptions>(task)) {}

  void look_at(OrderedJson& record) {
    if (sudoku_) several_ += count_sudoku_solutions(record.at("puzzle").get<std::string>(), 2) > 1;
    if (countdown_) solve(record);
  }

  std::vector<std::string> notes() const {
    std::vector<std::string> all;
    if (sudoku_) all.push_back(concat(several_, " puzzles have several solutions"));
    if (!countdown_) return all;
    all.push_back(concat(unsolvable_, " puzzles have no solution"));
    if (large_ > 0) all.push_back(concat(large_, " puzzles are too large to be solved here"));
    return all;
  }

 private:
  void solve(OrderedJson& record) {
    constexpr size_t kMostNumbers = 6;
    if (record.contains("solution")) return;
    const auto numbers = record.at("numbers").get<std::vector<int64_t>>();
    if (numbers.size() > kMostNumbers) {
      ++large_;
    } else if (const auto found = solve_countdown(numbers, record.at("target").get<int64_t>())) {
      const OrderedJson source = record.at("source");
      record.erase("source");
      record["solution"] = *found;
      record["source"] = source;
    } else {
      ++unsolvable_;
    }
  }

  bool sudoku_, countdown_;
  int64_t several_ = 0, unsolvable_ = 0, large_ = 0;
};

std::string_view name_of(const TaskOptions& task) {
  return std::visit([](const auto& o) { return o.kName; }, task);
}

}  // namespace

Prepared prepare(const TaskOptions& task, std::span<const std::filesystem::path> files) {
  Prepared out;
  Inspector inspector(task);
  for (const auto& file : files) {
    for (const Record& record : read_records(file)) {
      OrderedJson line = canonical(task, record, file);
      inspector.look_at(line);
      out.lines.push_back(line.dump());
    }
  }
  check(!out.lines.empty(), "[", name_of(task), "] no records in ", files.size(), " files.");
  out.notes = inspector.notes();
  return out;
}

std::vector<Example> read_examples(const TaskOptions& task, const std::filesystem::path& file) {
  std::vector<Example> out;
  for (const Record& record : read_records(file))
    out.push_back(example_of(task, canonical(task, record, file)));
  check(!out.empty(), file.string(), ": no records, expected ", name_of(task), " problems.");
  return out;
}

std::vector<std::string> generate(const TaskOptions& task, Split split, int64_t count, Key key) {
  const auto generator = generator_of(task);
  check(generator != nullptr, "[data] ", name_of(task),
        " problems cannot be generated, expected sudoku or countdown.");
  std::vector<std::string> lines;
  for (int64_t i = 0; i < count; ++i) {
    const Example e = generator->draw(split, key.fork("problem", i));
    OrderedJson line;
    if (std::holds_alternative<SudokuOptions>(task)) {
      line = {{"puzzle", e.problem}, {"solution", e.answer}};
    } else {
      const CountdownPuzzle puzzle = parse_countdown(e.problem);
      line = {{"numbers", puzzle.numbers}, {"target", puzzle.target}, {"solution", e.answer}};
    }
    line["source"] = concat(e.source, ":", i + 1);
    lines.push_back(line.dump());
  }
  return lines;
}

}  // namespace gdsd
