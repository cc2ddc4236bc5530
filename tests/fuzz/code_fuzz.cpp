// Reads the input as a completion, and as what a hostile process may write.
//
// The first byte says what the others are:
//   F  a completion: its fences
//   R  messages, which come in parts: the second byte is the size of a part
//   V  a verdict
//   M  a message that the judge puts into a verdict
#include <nlohmann/json.hpp>

#include <cstdlib>

#include "gdsd/base/check.h"
#include "gdsd/reward/code.h"
#include "gdsd/reward/sandbox_frames.h"

namespace gdsd {
namespace {

constexpr size_t kMost = 1000;

/// Stops the fuzzer unless `ok`.
void must(bool ok) {
  if (!ok) std::abort();
}

void read_fences(std::string_view text) {
  const char* at = text.data();
  const std::vector<Fence> all = fences(text);
  for (const Fence& fence : all) {
    must(fence.body.data() > at &&
         fence.body.data() + fence.body.size() <= text.data() + text.size());
    must(fence.body.find("```") == fence.body.npos);
    must(fence.language.find('\n') == fence.language.npos);
    must(fence.closed || &fence == &all.back());
    at = fence.body.data() + fence.body.size();
  }
}

void read_messages(std::string_view bytes, size_t part) {
  FrameReader reader(kMost);
  std::string again;
  for (size_t at = 0; at < bytes.size(); at += part) {
    reader.add(bytes.substr(at, part));
    while (auto message = reader.next()) {
      must(message->size() <= kMost);
      again += frame(*message);
    }
    if (reader.too_long()) break;
    must(reader.held() < kMost + 4);
  }
  must(bytes.starts_with(again));
  if (!reader.too_long()) must(bytes.size() - again.size() == reader.held());
}

void read_verdict(std::string_view json) {
  try {
    parse_verdict(json);
  } catch (const Error&) {
  } catch (const nlohmann::json::exception&) {
  }
}

/// What Python's json.dumps writes of a text that UTF-8 can hold is read as that text.
void read_message(std::string_view text) {
  constexpr auto kReplace = nlohmann::json::error_handler_t::replace;
  const std::string quoted = nlohmann::json(text).dump(-1, ' ', true, kReplace);
  const std::string message = nlohmann::json::parse(quoted).get<std::string>();
  const TestVerdict verdict = parse_verdict("{\"passed\": false, \"message\": " + quoted + "}");
  must(!verdict.passed && verdict.message == message);
}

}  // namespace
}  // namespace gdsd

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  if (size > 0 && input[0] == 'F') gdsd::read_fences(input.substr(1));
  if (size > 1 && input[0] == 'R') gdsd::read_messages(input.substr(2), 1 + data[1]);
  if (size > 0 && input[0] == 'V') gdsd::read_verdict(input.substr(1));
  if (size > 0 && input[0] == 'M') gdsd::read_message(input.substr(1));
  return 0;
}
