// The tasks: where problems come from.
#pragma once

#include <memory>
#include <variant>

#include "gdsd/data/countdown.h"
#include "gdsd/data/sudoku.h"
#include "gdsd/data/text_tasks.h"

namespace gdsd {

using TaskOptions = std::variant<SudokuOptions, CountdownOptions, Gsm8kOptions, MathOptions,
                                 CodeOptions, CustomOptions>;

/// The problems, prompts and all: worded ones in the template `chat`. Reads the task's files.
/// Throws FieldError for options out of range; Error for a file that cannot be read, has a record
/// that is not of the task, or trains on a problem of `test`, naming file and line.
std::unique_ptr<Problems> problems_of(const TaskOptions& options,
                                      ChatTemplate chat = ChatTemplate::kNone);

/// Generated problems as bare puzzles; nullptr for a task of files alone. Throws FieldError.
std::unique_ptr<Problems> generator_of(const TaskOptions& options);

}  // namespace gdsd
