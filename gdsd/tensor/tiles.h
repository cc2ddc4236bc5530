// Rows of logits a tile at a time. Nobody builds logits [B, L, V]: V is 126 464 for LLaDA, and a
// full tensor of them is what fills the memory of every peer.
#pragma once

#include <c10/core/GradMode.h>

#include <algorithm>

#include "gdsd/tensor/products.h"
#include "gdsd/tensor/tensor.h"

namespace gdsd {

/// Logits in memory at once: 64 MiB of float32.
inline constexpr int64_t kTile = int64_t{1} << 24;

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

/// The logits of one tile after another, in the same memory: glibc would give each tile of its own,
/// until there were as many as rows.
class TileLogits {
 public:
  explicit TileLogits(const Tensor& weight) : weight_(weight) {}

  /// hidden [r, D] → [r, V] in its type, which the next call overwrites. The first r is the largest.
  Tensor operator()(const Tensor& hidden) {
    const at::NoGradGuard no_grad;
    if (!memory_.defined())
      memory_ = at::empty({hidden.size(0), weight_.size(0)}, hidden.options());
    Tensor out = memory_.slice(0, 0, hidden.size(0));
    linear_forward_out(hidden, weight_, out);
    return out;
  }

 private:
  const Tensor weight_;  // [V, D]
  Tensor memory_;
};

/// hidden [r, D], weight [V, D] → [r, V] in float32, or float64 if the model is.
inline Tensor wide_logits(const Tensor& hidden, const Tensor& weight) {
  const Tensor logits = hidden.matmul(weight.t());
  return logits.scalar_type() == at::kDouble ? logits : logits.to(at::kFloat);
}

}  // namespace gdsd
