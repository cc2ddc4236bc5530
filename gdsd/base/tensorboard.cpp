#include "gdsd/base/tensorboard.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <chrono>

#include "gdsd/base/check.h"

namespace gdsd {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPrefix = "events.out.tfevents.";

double now() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

/// The lowest `bytes` bytes, least significant first.
std::string little_endian(uint64_t bits, int bytes) {
  std::string out;
  for (int i = 0; i < bytes; ++i) out += static_cast<char>(bits >> (8 * i));
  return out;
}

/// Protobuf's integers: seven bits a byte, least significant first, the top bit says "more".
std::string varint(uint64_t value) {
  std::string out;
  for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
  return out + static_cast<char>(value);
}

// A protobuf field is its number and wire type, then the value.
std::string key(uint64_t field, uint64_t wire_type) { return varint(field << 3 | wire_type); }
std::string integer_field(uint64_t field, int64_t value) {
  return key(field, 0) + varint(static_cast<uint64_t>(value));
}
std::string double_field(uint64_t field, double value) {
  return key(field, 1) + little_endian(std::bit_cast<uint64_t>(value), 8);
}
std::string bytes_field(uint64_t field, std::string_view value) {
  return key(field, 2) + varint(value.size()) + std::string(value);
}
std::string float_field(uint64_t field, float value) {
  return key(field, 5) + little_endian(std::bit_cast<uint32_t>(value), 4);
}

// message Event { double wall_time = 1; int64 step = 2;
//                 string file_version = 3; Summary summary = 5; SessionLog session_log = 7; }
std::string event(double wall_time, int64_t step, const std::string& content) {
  return double_field(1, wall_time) + integer_field(2, step) + content;
}

/// So that a checksum of data that holds checksums is not weak.
std::string masked_crc(std::string_view bytes) {
  const uint32_t crc = crc32c(bytes);
  return little_endian(std::rotr(crc, 15) + 0xa282ead8u, 4);
}

/// TensorBoard reads the files of a folder by name: the time in it must be later than the others'.
fs::path new_file(const fs::path& folder) {
  auto time = static_cast<int64_t>(now());
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, error)) {
    const std::string name = entry.path().filename().string();
    int64_t other = 0;
    if (!name.starts_with(kPrefix)) continue;
    std::from_chars(name.data() + kPrefix.size(), name.data() + name.size(), other);
    time = std::max(time, other + 1);
  }
  check(!error, "[EventWriter] ", folder.string(), ": ", error.message(), ".");
  std::array<char, 256> host{};
  ::gethostname(host.data(), host.size() - 1);
  return folder / concat(kPrefix, time, ".", host.data(), ".", ::getpid());
}

}  // namespace

EventWriter::EventWriter(const fs::path& folder, int64_t first_step) : file_(new_file(folder)) {
  const double time = now();
  file_.append(event_record(event(time, 0, bytes_field(3, "brain.Event:2"))));
  // message SessionLog { enum SessionStatus { START = 1; } SessionStatus status = 1; }
  file_.append(event_record(event(time, first_step, bytes_field(7, integer_field(1, 1)))));
}

void EventWriter::scalar(std::string_view tag, double value, int64_t step) {
  file_.append(event_record(scalar_event(now(), step, tag, value)));
}

std::string scalar_event(double wall_time, int64_t step, std::string_view tag, double value) {
  // message Summary { message Value { string tag = 1; float simple_value = 2; }
  //                   repeated Value value = 1; }
  const std::string scalar = bytes_field(1, tag) + float_field(2, static_cast<float>(value));
  return event(wall_time, step, bytes_field(5, bytes_field(1, scalar)));
}

std::string event_record(std::string_view message) {
  const std::string length = little_endian(message.size(), 8);
  return length + masked_crc(length) + std::string(message) + masked_crc(message);
}

}  // namespace gdsd
