#include "gdsd/base/fingerprint.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <fstream>
#include <vector>

#include "gdsd/base/check.h"

namespace gdsd {

std::string fingerprint(std::span<const std::filesystem::path> files) {
  std::vector<char> buffer(1 << 20);
  XXH3_state_t hash;
  XXH3_64bits_reset(&hash);
  for (const auto& file : files) {
    std::ifstream in(file, std::ios::binary);
    while (in.read(buffer.data(), static_cast<std::streamsize>(buffer.size())) || in.gcount() > 0)
      XXH3_64bits_update(&hash, buffer.data(), static_cast<size_t>(in.gcount()));
    check(in.eof(), "[fingerprint] ", file.string(), ": cannot read this file.");
  }
  return concat(std::hex, XXH3_64bits_digest(&hash));
}

}  // namespace gdsd
