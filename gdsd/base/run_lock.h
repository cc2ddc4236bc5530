// One program at a time for a run folder.
#pragma once

#include <filesystem>

namespace gdsd {

/// Holds RUN/.lock until it is destroyed or the process ends, by SIGKILL as well. The file stays;
/// it says who held it last. Reading a run needs no lock.
class RunLock {
 public:
  /// `folder` must exist. Throws Error if another process, or another RunLock of this one, holds
  /// it. Where the folder cannot be written to, or its file system knows no locks, nothing is held.
  explicit RunLock(const std::filesystem::path& folder);
  ~RunLock();
  RunLock(const RunLock&) = delete;
  RunLock& operator=(const RunLock&) = delete;

 private:
  int descriptor_ = -1;
};

}  // namespace gdsd
