// The upper half of a float32.
#pragma once

#include <cstdint>

namespace gdsd {

struct Bfloat16 {
  uint16_t bits = 0;
};

}  // namespace gdsd
