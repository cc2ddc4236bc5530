// Reads the input as a file of records, CSV or JSON as its first byte says, of every task. A record
// that is accepted must be read again as it was written, and be what its task promises.
#include <algorithm>
#include <cstdlib>

#include "gdsd/data/arithmetic.h"
#include "gdsd/data/layouts.h"
#include "gdsd/data/sudoku_grid.h"

namespace {

using namespace gdsd;

void require(bool ok) {
  if (!ok) std::abort();
}

void check_record(const TaskOptions& task, const Record& record, const char* file) {
  const OrderedJson line = canonical(task, record, file);
  const Example example = example_of(task, line);
  require(canonical(task, {nlohmann::json::parse(line.dump()), 1}, file) == line);
  require(!example.problem.empty() && !example.source.empty());
  if (std::holds_alternative<SudokuOptions>(task))
    require(count_sudoku_solutions(example.problem, 1) == 1);
  if (!std::holds_alternative<CountdownOptions>(task)) return;
  const CountdownPuzzle puzzle = parse_countdown(example.problem);
  require(puzzle.numbers == line.at("numbers").get<std::vector<int64_t>>());
  if (puzzle.numbers.size() <= 4) solve_countdown(puzzle.numbers, puzzle.target);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const char* file = data[0] % 2 ? "fuzz/input.csv" : "fuzz/input.jsonl";
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  std::vector<Record> records;
  try {
    records = parse_records(text, file);
  } catch (const Error&) {
    return 0;
  }
  const int64_t lines = 1 + std::count(text.begin(), text.end(), '\n');
  for (const Record& record : records) {
    require(record.line >= 1 && record.line <= lines && record.value.is_object());
    for (const TaskOptions& task :
         std::initializer_list<TaskOptions>{SudokuOptions{}, CountdownOptions{}, Gsm8kOptions{},
                                            MathOptions{}, CodeOptions{}, CustomOptions{}}) {
      try {
        check_record(task, record, file);
      } catch (const Error&) {
      }
    }
  }
  return 0;
}
