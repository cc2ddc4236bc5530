// What an adapter adds to a matrix's output: one pass over it, where a product of a rank's few columns
// would be written down and read again.
#pragma once

#include "gdsd/kernel/product.h"

namespace gdsd::GDSD_ISA {

inline constexpr int64_t kLowRankRows = 48;  // a block of `low` in the nearest cache

template <class T>
int64_t low_rank_scratch(int64_t out, int64_t r) {
  const int64_t words = round_up(r, kPerWord<T>) / kPerWord<T>;
  return packed_size(words, out) + kLowRankRows * words + kLowRankRows * W;
}

template <class T>
void add_low_rank(const T* low, int64_t low_row, const T* B, int64_t n, int64_t out, int64_t r,
                  T* y, float* scratch) {
  const int64_t words = round_up(r, kPerWord<T>) / kPerWord<T>, whole = out / W * W;
  Word* packed = reinterpret_cast<Word*>(scratch);
  Word* rows = packed + packed_size(words, out);
  float* last = reinterpret_cast<float*>(rows + kLowRankRows * words);
  const Word* last_columns = packed + whole / kPanel * (words * kPanel) + whole % kPanel;
  pack_transposed(B, r, out, r, packed);
  for (int64_t i = 0; i < n; i += kLowRankRows, y += kLowRankRows * out) {
    const int64_t m = least(n - i, kLowRankRows);
    copy_rows(low + i * low_row, low_row, m, r, rows);
    product<T>(rows, words, m, packed, words, whole, y, out, /*add=*/true);
    if (whole == out) continue;
    panel<T, 1>(rows, words, m, last_columns, words, last, W, /*add=*/false);
    for (int64_t j = 0; j < m; ++j) {
      T* end = y + j * out + whole;
      store(end, load(end, out - whole) + load(last + j * W), out - whole);
    }
  }
}

}  // namespace gdsd::GDSD_ISA
