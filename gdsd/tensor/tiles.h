// Rows of logits a tile at a time. Nobody builds logits [B, L, V]: V is 126 464 for LLaDA, and a
// full tensor of them is what fills the memory of every peer.
#pragma once

#include <algorithm>

#include "gdsd/tensor/cpu_kernels.h"

namespace gdsd {

/// Logits in memory at once: 64 MiB of float32.
inline constexpr int64_t kTile = int64_t{1} << 24;

/// The tile for these states: with kernels for CPUs one that a shared cache holds.
inline int64_t fitting_tile(const Tensor& hidden, int64_t tile) {
  return kernels_take(hidden) && !hidden.is_cuda() ? std::min(tile, int64_t{1} << 22) : tile;
}

/// Calls body(begin, end) for runs of rows whose logits fit a tile; once if there are no rows.
template <class F>
void for_each_tile(int64_t R, int64_t V, int64_t tile, F&& body) {
  const int64_t rows = std::max<int64_t>(1, tile / V);
  int64_t begin = 0;
  do {
    body(begin, std::min(R, begin + rows));
    begin += rows;
  } while (begin < R);
}

/// hidden [r, D], weight [V, D] → [r, V] in float32, or float64 if the model is.
inline Tensor wide_logits(const Tensor& hidden, const Tensor& weight) {
  const Tensor logits = hidden.matmul(weight.t());
  return logits.scalar_type() == at::kDouble ? logits : logits.to(at::kFloat);
}

}  // namespace gdsd
