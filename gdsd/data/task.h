// The embedded tasks: problems that need no file.
#pragma once

#include <memory>
#include <variant>

#include "gdsd/data/countdown.h"
#include "gdsd/data/sudoku.h"

namespace gdsd {

using TaskOptions = std::variant<SudokuOptions, CountdownOptions>;

/// Throws FieldError for options out of range.
std::unique_ptr<Problems> problems_of(const TaskOptions& options);

}  // namespace gdsd
