#include "gdsd/base/run_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include "gdsd/base/check.h"

namespace gdsd {

namespace {

/// Whether `path` is still the file that was opened: --fresh may have renamed its folder since.
bool is_same_file(int descriptor, const std::filesystem::path& path) {
  struct stat opened {
  }, there{};
  return ::fstat(descriptor, &opened) == 0 && ::stat(path.c_str(), &there) == 0 &&
         opened.st_dev == there.st_dev && opened.st_ino == there.st_ino;
}

/// "pid 4711 on host", for the next who asks.
void sign(int descriptor) {
  std::array<char, 256> host{};
  ::gethostname(host.data(), host.size() - 1);
  const std::string text = concat("pid ", ::getpid(), " on ", host.data());
  // The lock holds without it, on a full disk for one.
  [[maybe_unused]] const bool written =
      ::ftruncate(descriptor, 0) == 0 && ::pwrite(descriptor, text.data(), text.size(), 0) > 0;
}

std::string signature(int descriptor) {
  std::array<char, 300> text{};
  const ssize_t n = ::pread(descriptor, text.data(), text.size(), 0);
  return n > 0 ? std::string(text.data(), static_cast<size_t>(n)) : "pid unknown";
}

}  // namespace

RunLock::RunLock(const std::filesystem::path& folder) {
  const auto file = folder / ".lock";
  for (;;) {
    descriptor_ = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (descriptor_ < 0) {
      const int reason = errno;
      check(reason == EACCES || reason == EROFS || reason == EPERM, "[run_dir] ", file.string(),
            ": ", std::strerror(reason), ".");
      return;
    }
    const bool taken = ::flock(descriptor_, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
    const std::string owner = taken ? signature(descriptor_) : "";
    if (!taken && is_same_file(descriptor_, file)) break;
    ::close(std::exchange(descriptor_, -1));
    check(!taken, "[run_dir] ", folder.string(), ": another gdsd (", owner,
          ") is using this run folder.");
  }
  sign(descriptor_);
}

RunLock::~RunLock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

}  // namespace gdsd
