#include "gdsd/reward/sandbox_frames.h"

#include "gdsd/base/json.h"

namespace gdsd {
namespace {
constexpr size_t kPrefix = 4;
}

std::string frame(std::string_view payload) {
  check(payload.size() <= 0xffffffffU, "[sandbox] a message of ", payload.size(), " bytes.");
  std::string out;
  out.reserve(kPrefix + payload.size());
  for (size_t i = 0; i < kPrefix; ++i)
    out += static_cast<char>(static_cast<unsigned char>(payload.size() >> (8 * i)));
  return out += payload;
}

std::optional<size_t> FrameReader::length() const {
  if (bytes_.size() < kPrefix) return {};
  size_t length = 0;
  for (size_t i = 0; i < kPrefix; ++i)
    length |= static_cast<size_t>(static_cast<unsigned char>(bytes_[i])) << (8 * i);
  return length;
}

bool FrameReader::too_long() const { return length().value_or(0) > most_; }

std::optional<std::string> FrameReader::next() {
  const auto size = length();
  if (!size || *size > most_ || bytes_.size() < kPrefix + *size) return {};
  std::string payload = bytes_.substr(kPrefix, *size);
  bytes_.erase(0, kPrefix + *size);
  return payload;
}

TestVerdict parse_verdict(std::string_view json) {
  const auto verdict = parse_json_object(json, "[sandbox] a verdict");
  const auto passed = verdict.find("passed"), message = verdict.find("message");
  check(passed != verdict.end() && passed->is_boolean() && message != verdict.end() &&
            message->is_string(),
        "[sandbox] a verdict without passed and message.");
  return {passed->get<bool>(), message->get<std::string>()};
}

}  // namespace gdsd
