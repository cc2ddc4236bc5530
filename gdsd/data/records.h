// Records of the files that data is published in: JSON lines, a JSON array of objects, CSV.
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace gdsd {

struct Record {
  nlohmann::json value;  ///< an object; of CSV all its values are texts, leading zeros and all
  int64_t line = 0;      ///< where it begins, from 1
};

/// "folder/file.jsonl:17", of a path its last two parts: enough to find a record by, on any machine.
std::string source_of(const std::filesystem::path& file, int64_t line);

/// The records of a file: CSV (RFC 4180, the first line names the columns) if it is called .csv, an
/// array if it begins with '[', else JSON lines, of which empty ones do not count. A byte order mark
/// is passed over. Throws Error, beginning with "FILE:LINE: ", for what is malformed, not UTF-8, or
/// nested too deeply.
std::vector<Record> read_records(const std::filesystem::path& file);

/// The same of a text that was read from `file`.
std::vector<Record> parse_records(std::string_view text, const std::filesystem::path& file);

}  // namespace gdsd
