// Numbers to test kernels with, and how far others are from them.
#pragma once

#include <algorithm>
#include <cmath>
#include <string_view>
#include <vector>

#include "gdsd/base/random.h"
#include "gdsd/cuda/pack.h"

namespace gdsd::cuda {

/// n numbers in (−scale, scale), of a stream of their own.
template <class T>
std::vector<T> numbers(int64_t n, std::string_view name, double scale = 1) {
  std::vector<T> out(n);
  for (int64_t i = 0; i < n; ++i)
    out[i] = from_float<T>(static_cast<float>(scale * (2 * uniform(Key{}.fork(name), i) - 1)));
  return out;
}

/// How far `got` is from what it should be, in units of the type's rounding of that, or of 0.1 if it
/// is less.
template <class T>
double error(T got, double expected) {
  const double unit = sizeof(T) == 2 ? 0x1p-9 : 0x1p-24;
  return std::fabs(to_float(got) - expected) / (unit * std::max(0.1, std::fabs(expected)));
}

}  // namespace gdsd::cuda
