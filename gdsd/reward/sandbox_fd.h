// A file descriptor that somebody owns, and files in memory.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>

namespace gdsd {

/// A file descriptor, closed when it goes.
class OwnedFd {
 public:
  explicit OwnedFd(int number = -1) : number_(number) {}
  ~OwnedFd() { reset(); }
  OwnedFd(OwnedFd&& other) noexcept : number_(other.number_) { other.number_ = -1; }
  OwnedFd& operator=(OwnedFd&& other) noexcept;
  int get() const { return number_; }
  void reset();

 private:
  int number_;
};

/// Throws Error, with errno's text, unless `ok`.
void check_call(bool ok, const char* what);

/// write(), without the signal that kills a program which writes to nobody.
ssize_t write_quietly(int descriptor, std::string_view bytes);

/// A nameless file that holds the bytes, to be read from its beginning. Throws Error.
OwnedFd memory_file(const std::string& bytes);

/// All of a file, from its beginning. Throws Error.
std::string read_memory_file(const OwnedFd& file);

}  // namespace gdsd
