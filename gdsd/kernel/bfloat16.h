// The upper half of a float32.
#pragma once

#include <bit>
#include <cstdint>

namespace gdsd {

struct Bfloat16 {
  uint16_t bits = 0;

  constexpr explicit operator float() const { return std::bit_cast<float>(uint32_t{bits} << 16); }
};

}  // namespace gdsd
