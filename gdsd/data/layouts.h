// The layouts that problems are published in, and the one of each task that they are turned into.
#pragma once

#include <nlohmann/json.hpp>

#include "gdsd/data/records.h"
#include "gdsd/data/task.h"

namespace gdsd {

using OrderedJson = nlohmann::ordered_json;

/// The record in the layout of the task, docs/tasks.md says which, `source` and all. A `source`
/// that is no place ("gsm8k/train.jsonl:17") gives way to where the record was read. Throws Error,
/// beginning with "FILE:LINE: ", for a layout that is unknown, naming the known ones, and for one
/// whose values cannot be.
OrderedJson canonical(const TaskOptions& task, const Record& record,
                      const std::filesystem::path& file);

/// The problem of a canonical record, without a prompt.
Example example_of(const TaskOptions& task, const OrderedJson& canonical);

}  // namespace gdsd
