// From published files to those that training and evaluation read: `gdsd data prepare`.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "gdsd/data/task.h"

namespace gdsd {

struct Prepared {
  std::vector<std::string> lines;  ///< canonical records, one JSON object each
  std::vector<std::string> notes;  ///< what to know of them: "124 puzzles have several solutions"
};

/// The records of the files, one after another, checked and in the task's layout. Countdown puzzles
/// without a solution get one where there is one. Throws Error naming file and line.
Prepared prepare(const TaskOptions& task, std::span<const std::filesystem::path> files);

/// The problems of one file, prepared or published, without prompts.
std::vector<Example> read_examples(const TaskOptions& task, const std::filesystem::path& file);

/// `count` problems of a generator as canonical records, problem i that of `key.fork("problem", i)`.
/// Throws Error for a task without one.
std::vector<std::string> generate(const TaskOptions& task, Split split, int64_t count, Key key);

}  // namespace gdsd
