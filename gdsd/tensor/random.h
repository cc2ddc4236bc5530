// Keyed random numbers as tensors.
#pragma once

#include <ATen/Parallel.h>

#include <span>

#include "gdsd/base/random.h"
#include "gdsd/tensor/tensor.h"

namespace gdsd {

/// n uniform numbers in (0, 1) from each key's stream: → [R, n] float64, on the CPU.
inline Tensor uniform(std::span<const Key> keys, int64_t n) {
  const auto R = static_cast<int64_t>(keys.size());
  Tensor out = at::empty({R, n}, at::kDouble);
  double* u = out.data_ptr<double>();
  at::parallel_for(0, R, 1 + 4096 / (n + 1), [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r)
      for (int64_t i = 0; i < n; i += 4) {
        const auto words = philox(keys[r], i / 4);
        for (int64_t j = i; j < std::min(i + 4, n); ++j)
          u[r * n + j] = (words[j - i] + 0.5) * 0x1p-32;
      }
  });
  return out;
}

/// uniform_rest() of n numbers from each key's stream: → [R, n] float64, on the CPU.
inline Tensor uniform_rest(std::span<const Key> keys, int64_t n) {
  const auto R = static_cast<int64_t>(keys.size());
  Tensor out = at::empty({R, n}, at::kDouble);
  double* rest = out.data_ptr<double>();
  at::parallel_for(0, R, 1 + 4096 / (n + 1), [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r)
      for (int64_t i = 0; i < n; i += 4) {
        const auto words = philox(keys[r], i / 4);
        for (int64_t j = i; j < std::min(i + 4, n); ++j)
          rest[r * n + j] = uniform_rest(keys[r], j, words[j - i]);
      }
  });
  return out;
}

}  // namespace gdsd
