// From a task's options to its problems.
#include "gdsd/data/task.h"

namespace gdsd {
namespace {

std::unique_ptr<Problems> make(const SudokuOptions& o) { return std::make_unique<Sudoku>(o); }
std::unique_ptr<Problems> make(const CountdownOptions& o) { return std::make_unique<Countdown>(o); }

}  // namespace

std::unique_ptr<Problems> problems_of(const TaskOptions& options) {
  return std::visit([](const auto& o) { return make(o); }, options);
}

}  // namespace gdsd
