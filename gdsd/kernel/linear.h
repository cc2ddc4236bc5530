// Products of a linear layer: of its input with the weight, of a gradient with the weight, of both with
// each other. The same tiles at every size: libtorch's products run at a fraction of their rate where
// an inner dimension is short, and pack both sides.
#pragma once

#include "gdsd/kernel/product.h"

namespace gdsd::GDSD_ISA {

inline constexpr int64_t kCopiedRows = 48;  // a block of copied A in the nearest cache
inline constexpr int64_t kDepth = 256;      // words of a sum at a time in a weight's gradient

template <class T>
int64_t packed_floats(int64_t k, int64_t n) {
  return packed_size(words_of<T>(k), n);
}
template <class T>
void pack_weight_transposed(const T* w, int64_t row, int64_t n, int64_t k, float* packed) {
  pack_transposed(w, row, n, k, reinterpret_cast<Word*>(packed));
}
template <class T>
void pack_weight(const T* w, int64_t row, int64_t k, int64_t n, float* packed) {
  pack(w, row, k, n, reinterpret_cast<Word*>(packed));
}

template <class T>
int64_t linear_scratch(int64_t k) {
  return kCopiedRows * words_of<T>(k);
}

/// Rows that begin between words, or end in the midst of one, are copied.
template <class T>
void linear(const T* x, int64_t x_row, int64_t n, int64_t k, const float* packed, int64_t out,
            const T* base, int64_t base_row, T* y, int64_t y_row, float* scratch) {
  const int64_t words = words_of<T>(k);
  Operands<T> o{reinterpret_cast<const LooseWord*>(x),
                x_row / kPerWord<T>,
                1,
                reinterpret_cast<const Word*>(packed),
                words,
                base,
                base_row,
                y,
                y_row};
  const bool whole = k % kPerWord<T> == 0 && x_row % kPerWord<T> == 0 &&
                     reinterpret_cast<uintptr_t>(x) % sizeof(Word) == 0;
  if (whole) return product<T>(o, n, out);
  Word* rows = reinterpret_cast<Word*>(scratch);
  for (int64_t i = 0; i < n; i += kCopiedRows) {
    const int64_t m = least(n - i, kCopiedRows);
    copy_rows(x + i * x_row, x_row, m, k, rows);
    Operands<T> part = o.from_row(i);
    part.a = rows;
    part.a_row = words;
    product<T>(part, m, out);
  }
}

template <class T>
int64_t linear_gradient_scratch(int64_t out) {
  return packed_size(kDepth, kPanel) + (sizeof(T) == 4 ? 0 : packed_size(kDepth, out));
}

/// Columns of d are A's rows: in float32 as they lie, of bfloat16 the pairs are made first.
template <class T>
void linear_gradient(const T* d, int64_t d_row, const T* x, int64_t x_row, int64_t n, int64_t out,
                     int64_t in, float* d_w, int64_t d_w_row, float* scratch) {
  Word* b = reinterpret_cast<Word*>(scratch);
  Word* pairs = b + packed_size(kDepth, kPanel);
  for (int64_t i = 0; i < n || i == 0; i += kDepth * kPerWord<T>) {
    const int64_t rows = least(n - i, kDepth * kPerWord<T>), words = words_of<T>(rows);
    const T* a = d + i * d_row;
    if constexpr (sizeof(T) != 4) pack(a, d_row, rows, out, pairs);
    for (int64_t j = 0; j < in; j += kPanel) {
      const int64_t columns = least(in - j, kPanel);
      pack(x + i * x_row + j, x_row, rows, columns, b);
      float* c = d_w + j;
      const float* base = i ? c : nullptr;
      if constexpr (sizeof(T) == 4) {
        product<T>(Operands<float>{reinterpret_cast<const LooseWord*>(a), 1, d_row, b, words, base,
                                   d_w_row, c, d_w_row},
                   out, columns);
      } else {
        for (int64_t r = 0; r < out; r += kPanel) {
          const float* from = base ? base + r * d_w_row : nullptr;
          product<T>(Operands<float>{pairs + r * words, 1, kPanel, b, words, from, d_w_row,
                                     c + r * d_w_row, d_w_row},
                     least(out - r, kPanel), columns);
        }
      }
    }
  }
}

}  // namespace gdsd::GDSD_ISA
