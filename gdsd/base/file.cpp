#include "gdsd/base/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/crc.hpp>
#include <cerrno>
#include <cstring>
#include <utility>

#include "gdsd/base/check.h"

namespace gdsd {
namespace {

namespace fs = std::filesystem;

/// Throws Error with the reason the last system call left in errno, unless `ok`.
void check_call(bool ok, const char* what, const fs::path& path) {
  if (ok) return;
  const int reason = errno;
  const bool full = reason == ENOSPC || reason == EDQUOT;
  check(false, "[", what, "] ", path.string(), ": ", std::strerror(reason),
        full ? "; free some space; nothing was lost." : ".");
}

/// Calls a system call again for as long as a signal interrupts it.
template <typename Call>
auto retry(Call&& call) {
  auto result = call();
  while (result < 0 && errno == EINTR) result = call();
  return result;
}

/// A descriptor of the opened file.
int open_file(const char* what, const fs::path& path, int flags) {
  const int number = retry([&] { return ::open(path.c_str(), flags | O_CLOEXEC, 0666); });
  check_call(number >= 0, what, path);
  return number;
}

bool truncate(int descriptor, uint64_t size) {
  return retry([&] { return ::ftruncate(descriptor, static_cast<off_t>(size)); }) == 0;
}

bool sync_descriptor(int descriptor) {
  return retry([&] { return ::fsync(descriptor); }) == 0;
}

/// An open file, closed on every way out.
class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() { close(); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int number() const { return number_; }
  int release() { return std::exchange(number_, -1); }
  /// False if the last of the data could not be written (NFS reports it here).
  bool close() {
    const int number = release();
    return number < 0 || ::close(number) == 0;
  }

 private:
  int number_;
};

fs::path folder_of(const fs::path& path) {
  return path.has_parent_path() ? path.parent_path() : fs::path(".");
}

/// Fills the new file `temporary` and waits for the disk; errors are about `path`.
void write_temporary(const fs::path& temporary, const fs::path& path, std::string_view bytes) {
  const int number = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  check_call(number >= 0, "write_file", path);
  Descriptor file(number);
  while (!bytes.empty()) {
    const ssize_t n = retry([&] { return ::write(file.number(), bytes.data(), bytes.size()); });
    check_call(n >= 0, "write_file", path);
    bytes.remove_prefix(static_cast<size_t>(n));
  }
  check_call(sync_descriptor(file.number()), "write_file", path);
  check_call(file.close(), "write_file", path);
}

}  // namespace

std::string read_file(const fs::path& path) {
  const Descriptor file(open_file("read_file", path, O_RDONLY));
  struct stat info {};
  check_call(::fstat(file.number(), &info) == 0, "read_file", path);
  std::string bytes(static_cast<size_t>(info.st_size) + 1, '\0');
  size_t done = 0;
  for (;;) {  // to the end, not to st_size: pipes and /proc say 0
    if (done == bytes.size()) bytes.resize(2 * done);
    const ssize_t n =
        retry([&] { return ::read(file.number(), bytes.data() + done, bytes.size() - done); });
    check_call(n >= 0, "read_file", path);
    if (n == 0) break;
    done += static_cast<size_t>(n);
  }
  bytes.resize(done);
  return bytes;
}

void write_file(const fs::path& path, std::string_view bytes) {
  const fs::file_status there = fs::symlink_status(path);
  check(!fs::exists(there) || fs::is_regular_file(there) || fs::is_directory(there),
        "[write_file] ", path.string(), " is no regular file: a link or device is not replaced.");
  const fs::path temporary = folder_of(path) / ("." + path.filename().string() + "." +
                                                std::to_string(::getpid()) + ".tmp");
  try {
    write_temporary(temporary, path, bytes);
    check_call(::rename(temporary.c_str(), path.c_str()) == 0, "write_file", path);
  } catch (...) {
    ::unlink(temporary.c_str());
    throw;
  }
  sync_folder(folder_of(path));
}

void sync_folder(const fs::path& path) {
  const Descriptor folder(open_file("sync_folder", path, O_RDONLY | O_DIRECTORY));
  // Some network file systems have no such call and say EINVAL.
  check_call(sync_descriptor(folder.number()) || errno == EINVAL, "sync_folder", path);
}

fs::path free_name(const fs::path& path) {
  fs::path name = path;
  for (int n = 2; fs::exists(fs::symlink_status(name)); ++n)
    name = path.string() + std::to_string(n);
  return name;
}

uint32_t crc32c(std::string_view bytes) {
  boost::crc_optimal<32, 0x1EDC6F41, 0xFFFFFFFF, 0xFFFFFFFF, true, true> crc;
  crc.process_bytes(bytes.data(), bytes.size());
  return crc.checksum();
}

AppendFile::AppendFile(fs::path path, std::optional<uint64_t> keep_bytes) : path_(std::move(path)) {
  Descriptor file(open_file("AppendFile", path_, O_WRONLY | O_CREAT | O_APPEND));
  struct stat info {};
  check_call(::fstat(file.number(), &info) == 0, "AppendFile", path_);
  size_ = static_cast<uint64_t>(info.st_size);
  if (keep_bytes) {
    check(size_ >= *keep_bytes, "[AppendFile] ", path_.string(), " has lost its end, got ", size_,
          " bytes, expected at least ", *keep_bytes, ".");
    if (size_ > *keep_bytes) check_call(truncate(file.number(), *keep_bytes), "AppendFile", path_);
    size_ = *keep_bytes;
  }
  descriptor_ = file.release();
}

AppendFile::~AppendFile() { ::close(descriptor_); }

void AppendFile::append(std::string_view bytes) {
  size_t done = 0;
  while (done < bytes.size()) {  // one call takes 2 GiB at most
    const ssize_t n =
        retry([&] { return ::write(descriptor_, bytes.data() + done, bytes.size() - done); });
    if (n <= 0) {
      const int reason = errno;
      truncate(descriptor_, size_);  // nothing of it stays
      errno = reason;
      check_call(false, "AppendFile::append", path_);
    }
    done += static_cast<size_t>(n);
  }
  size_ += bytes.size();
}

void AppendFile::sync() { check_call(sync_descriptor(descriptor_), "AppendFile::sync", path_); }

}  // namespace gdsd
