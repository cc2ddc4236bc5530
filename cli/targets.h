// Files that a verb was asked to write.
#pragma once

#include <filesystem>

#include "gdsd/base/check.h"

namespace gdsd {

/// Throws Error, before any work is done, for a file that could not be written at its end.
inline void check_target(const char* option, const std::filesystem::path& file) {
  const std::filesystem::path folder = file.parent_path();
  check(folder.empty() || std::filesystem::is_directory(folder), "[", option, "] ", folder.string(),
        ": no such folder.");
  check(!std::filesystem::is_directory(file), "[", option, "] ", file.string(),
        ": is a folder, expected a file to write.");
}

inline void check_targets(const std::string& json, const std::string& html) {
  check_target("--json", json);
  check_target("--html", html);
  check(json.empty() || json != html, "[--html] ", html, ": --json names the same file.");
}

}  // namespace gdsd
