// Messages between the host and a sandboxed process: a length, four bytes, little-endian, and that
// many bytes. Whoever writes may be hostile.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace gdsd {

/// The payload with its length before it. Throws Error for 4 GiB and more.
std::string frame(std::string_view payload);

/// Takes bytes as they come and gives messages.
class FrameReader {
 public:
  /// Longer messages than `most` bytes are not read.
  explicit FrameReader(size_t most) : most_(most) {}

  void add(std::string_view bytes) { bytes_ += bytes; }

  /// The next message, if all of it has come.
  std::optional<std::string> next();

  /// Whether the next message claims to be longer than `most`: nothing more can be read.
  bool too_long() const;

  /// What was added and not given yet: never more than one message and one `add` over `most`, if
  /// next() is called after every add().
  size_t held() const { return bytes_.size(); }

 private:
  std::optional<size_t> length() const;

  size_t most_;
  std::string bytes_;
};

/// What the judge says about one test: {"passed": …, "message": …}.
struct TestVerdict {
  bool passed = false;
  std::string message = {};
};

/// Throws Error for anything else, nlohmann::json::exception for what is no JSON.
TestVerdict parse_verdict(std::string_view json);

}  // namespace gdsd
