#include "gdsd/reward/sandbox_fd.h"

#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <string_view>
#include <utility>

#include "gdsd/base/check.h"

namespace gdsd {

OwnedFd& OwnedFd::operator=(OwnedFd&& other) noexcept {
  std::swap(number_, other.number_);
  return *this;
}

void OwnedFd::reset() {
  if (number_ >= 0) close(std::exchange(number_, -1));
}

void check_call(bool ok, const char* what) {
  check(ok, "[sandbox] ", what, " failed: ", std::strerror(errno), ".");
}

ssize_t write_quietly(int descriptor, std::string_view bytes) {
  sigset_t pipe_signal, before, pending;
  sigemptyset(&pipe_signal);
  sigaddset(&pipe_signal, SIGPIPE);
  sigpending(&pending);
  pthread_sigmask(SIG_BLOCK, &pipe_signal, &before);
  const ssize_t written = write(descriptor, bytes.data(), bytes.size());
  const int error = errno;
  if (written < 0 && error == EPIPE && sigismember(&pending, SIGPIPE) == 0) {
    const timespec now{0, 0};
    while (sigtimedwait(&pipe_signal, nullptr, &now) < 0 && errno == EINTR) {
    }
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  errno = error;
  return written;
}

OwnedFd memory_file(const std::string& bytes) {
  OwnedFd file(memfd_create("sandbox", MFD_CLOEXEC));
  check_call(file.get() >= 0, "memfd_create");
  for (std::string_view rest = bytes; !rest.empty();) {
    const ssize_t n = write(file.get(), rest.data(), rest.size());
    check_call(n > 0 || errno == EINTR, "write");
    if (n > 0) rest.remove_prefix(static_cast<size_t>(n));
  }
  check_call(lseek(file.get(), 0, SEEK_SET) == 0, "lseek");
  return file;
}

std::string read_memory_file(const OwnedFd& file) {
  check_call(lseek(file.get(), 0, SEEK_SET) == 0, "lseek");
  std::string bytes;
  std::array<char, 4096> part;
  for (;;) {
    const ssize_t n = read(file.get(), part.data(), part.size());
    if (n == 0) return bytes;
    check_call(n > 0 || errno == EINTR, "read");
    if (n > 0) bytes.append(part.data(), static_cast<size_t>(n));
  }
}

}  // namespace gdsd
