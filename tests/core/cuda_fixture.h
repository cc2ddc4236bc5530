// What the tests of the GPU kernels' rows share: the same rows on the host, by one lane, by a warp's 32
// and by a block's 64.
#pragma once

#include <gtest/gtest.h>

#include "gdsd/cuda/host_table.h"
#include "tests/cuda/lanes.h"
#include "tests/cuda/numbers.h"

namespace gdsd::cuda {

template <class T>
double at(const std::vector<T>& x, int64_t i) {
  return to_float(x[i]);
}

/// Calls body(table, T{}, slow) for every team and type; slow are the teams of many lanes.
template <class F>
void for_each_table(F&& body) {
  auto of_type = [&]<class T>(T type) {
    body(host_table<T>(), type, false);
    body(host_table<T, Lanes<32>>(), type, true);
    body(host_table<T, Lanes<64>>(), type, true);
  };
  of_type(float{});
  of_type(Bfloat16{});
}

}  // namespace gdsd::cuda
