// What a file is recognised by: XXH3, 64 bits, of its contents.
#pragma once

#include <filesystem>
#include <span>
#include <string>

namespace gdsd {

/// Of the files' contents one after another, in hexadecimal. Throws Error naming a file that cannot
/// be read.
std::string fingerprint(std::span<const std::filesystem::path> files);

inline std::string fingerprint(const std::filesystem::path& file) {
  return fingerprint(std::span(&file, 1));
}

}  // namespace gdsd
