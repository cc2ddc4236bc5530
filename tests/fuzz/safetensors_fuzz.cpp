// Reads the input as the header of a safetensors file whose data have as many bytes as it claims.
#include <cstdlib>

#include "gdsd/base/check.h"
#include "gdsd/base/safetensors_header.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  // Sizes that small headers are likely to describe, and none.
  for (const uint64_t bytes : {uint64_t{0}, uint64_t{8}, uint64_t{24}, uint64_t{1} << 40}) {
    try {
      uint64_t covered = 0;
      std::map<std::string, std::string> metadata;
      for (const auto& e : gdsd::parse_safetensors_header(text, bytes, "input", &metadata)) {
        if (e.begin > e.end || e.end > bytes) std::abort();
        covered += e.end - e.begin;
      }
      if (covered != bytes) std::abort();
    } catch (const gdsd::Error&) {
    }
  }
  return 0;
}
