// Files that survive a crash: written whole or not at all, and logs that only ever grow.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace gdsd {

/// The whole file. Throws Error naming the path.
std::string read_file(const std::filesystem::path& path);

/// Makes `bytes` the contents of `path`, on disk when this returns. A crash or an Error at any
/// moment leaves the old file as it was. The folder must exist.
void write_file(const std::filesystem::path& path, std::string_view bytes);

/// Waits until what was created, renamed or removed in the folder is on disk.
void sync_folder(const std::filesystem::path& path);

/// `path`, or the first of path2, path3, … that does not exist.
std::filesystem::path free_name(const std::filesystem::path& path);

/// CRC-32C (Castagnoli), the checksum of TensorBoard's records: "123456789" gives 0xe3069283.
uint32_t crc32c(std::string_view bytes);

/// A file that only grows, such as a log. Every append is one write(), so that a kill leaves at
/// most the last one incomplete.
class AppendFile {
 public:
  /// Opens or creates the file. `keep_bytes` forgets everything after the first so many: what was
  /// logged after the checkpoint a run is resumed from. nullopt keeps all.
  /// Throws Error if the file is shorter than `keep_bytes`.
  explicit AppendFile(std::filesystem::path path, std::optional<uint64_t> keep_bytes = {});
  ~AppendFile();
  AppendFile(const AppendFile&) = delete;
  AppendFile& operator=(const AppendFile&) = delete;

  /// Throws Error unless all of `bytes` were written; what was written of them is taken back.
  void append(std::string_view bytes);

  /// The length of the file so far, in bytes.
  uint64_t size() const { return size_; }

  /// Waits until everything appended is on disk.
  void sync();

 private:
  std::filesystem::path path_;
  int descriptor_ = -1;
  uint64_t size_ = 0;
};

}  // namespace gdsd
