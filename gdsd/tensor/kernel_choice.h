// The choice among kernels that every config has.
#pragma once

#include <array>

namespace gdsd {

enum class KernelChoice { kAuto, kAvx512, kAvx2, kPortable, kOff };
constexpr auto enum_names(KernelChoice) {
  return std::array{"auto", "avx512", "avx2", "portable", "off"};
}

}  // namespace gdsd
