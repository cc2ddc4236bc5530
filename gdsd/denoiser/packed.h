// Sequences of different lengths laid end to end. There is no padding anywhere in this code base,
// so nothing can attend to it, and a rollout cannot depend on its neighbours in the batch.
#pragma once

#include <numeric>
#include <vector>

#include "gdsd/tensor/tensor.h"

namespace gdsd {

struct Packed {
  Tensor tokens;                 // [N] int64
  std::vector<int64_t> lengths;  // [B], Σ = N

  int64_t size() const { return static_cast<int64_t>(lengths.size()); }

  /// Where each sequence begins in `tokens`, and N at the end: [B + 1].
  std::vector<int64_t> offsets() const {
    std::vector<int64_t> at(lengths.size() + 1, 0);
    std::partial_sum(lengths.begin(), lengths.end(), at.begin() + 1);
    return at;
  }
};

/// Some tokens of a Packed: those a caller wants predicted.
struct Rows {
  Tensor index;                 // [R] int64 positions in `tokens`, ascending
  std::vector<int64_t> counts;  // [B] how many belong to each sequence, Σ = R
};

/// Sequences begin … end − 1.
inline Packed slice(const Packed& x, int64_t begin, int64_t end) {
  const auto at = x.offsets();
  return {x.tokens.slice(0, at[begin], at[end]),
          {x.lengths.begin() + begin, x.lengths.begin() + end}};
}

/// The last C tokens of every sequence, as positions in `tokens`: [B, C] int64.
inline Tensor tail_rows(const Packed& x, int64_t C) {
  const auto at = x.offsets();
  const Tensor end = to_tensor(std::vector<int64_t>(at.begin() + 1, at.end()), x.tokens.device());
  return end.unsqueeze(1) + at::arange(-C, 0, end.options());
}

}  // namespace gdsd
