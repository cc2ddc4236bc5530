// C = A B of small matrices in cache, the building block of attention: float32, or bfloat16 with
// float32 sums.
//
// A is [m, k] words, row by row. B is packed in panels of kPanel columns, each [k, kPanel] words, so
// that a tile of C reads it in order. k counts words: pairs of bfloat16.
#pragma once

#include "gdsd/kernel/vector.h"

namespace gdsd::GDSD_ISA {

inline constexpr int64_t kPanel = W * kTileVectors;

/// Words of a packed B with n columns.
GDSD_INLINE int64_t packed_size(int64_t k, int64_t n) { return k * round_up(n, kPanel); }

template <class T, int kRows, int kVectors, class C>
GDSD_INLINE void tile(const Word* a, int64_t a_row, const Word* b, int64_t k, C* c, int64_t c_row,
                      bool add) {
  Floats sums[kRows][kVectors];
  for (int r = 0; r < kRows; ++r)
    for (int v = 0; v < kVectors; ++v) sums[r][v] = add ? load(c + r * c_row + v * W) : all(0.0f);
  for (int64_t i = 0; i < k; ++i) {
    Floats column[kVectors];
    for (int v = 0; v < kVectors; ++v)
      column[v] = load(reinterpret_cast<const float*>(b + i * kPanel + v * W));
    for (int r = 0; r < kRows; ++r) {
      const auto row = reinterpret_cast<Floats>(all(static_cast<int32_t>(a[r * a_row + i])));
      for (int v = 0; v < kVectors; ++v) sums[r][v] = dot<T>(sums[r][v], row, column[v]);
    }
  }
  for (int r = 0; r < kRows; ++r)
    for (int v = 0; v < kVectors; ++v) store(c + r * c_row + v * W, sums[r][v]);
}

/// The last m < kRows + 1 rows of a panel.
template <class T, int kVectors, int kRows, class C>
GDSD_INLINE void last_rows(int64_t m, const Word* a, int64_t a_row, const Word* b, int64_t k, C* c,
                           int64_t c_row, bool add) {
  if constexpr (kRows > 0) {
    if (m == kRows) return tile<T, kRows, kVectors>(a, a_row, b, k, c, c_row, add);
    last_rows<T, kVectors, kRows - 1>(m, a, a_row, b, k, c, c_row, add);
  }
}

template <class T, int kVectors, class C>
void panel(const Word* a, int64_t a_row, int64_t m, const Word* b, int64_t k, C* c, int64_t c_row,
           bool add) {
  int64_t i = 0;
  for (; i + kTileRows <= m; i += kTileRows)
    tile<T, kTileRows, kVectors>(a + i * a_row, a_row, b, k, c + i * c_row, c_row, add);
  last_rows<T, kVectors, kTileRows - 1>(m - i, a + i * a_row, a_row, b, k, c + i * c_row, c_row,
                                        add);
}

template <class T, int kVectors, class C>
GDSD_INLINE void last_panel(int64_t vectors, const Word* a, int64_t a_row, int64_t m, const Word* b,
                            int64_t k, C* c, int64_t c_row, bool add) {
  if constexpr (kVectors > 0) {
    if (vectors == kVectors) return panel<T, kVectors>(a, a_row, m, b, k, c, c_row, add);
    last_panel<T, kVectors - 1>(vectors, a, a_row, m, b, k, c, c_row, add);
  }
}

/// C [m, n] = A B, or C + A B if `add`, rounded to C's type at the end; n is a multiple of W, rows of
/// A and C lie a_row words and c_row numbers apart.
template <class T, class C>
void product(const Word* a, int64_t a_row, int64_t m, const Word* b, int64_t k, int64_t n, C* c,
             int64_t c_row, bool add) {
  for (int64_t j = 0; j < n; j += kPanel, b += k * kPanel, c += kPanel)
    last_panel<T, kTileVectors>(least(n - j, kPanel) / W, a, a_row, m, b, k, c, c_row, add);
}

/// The first n < 2 numbers at p, then zeros, as one word.
template <class T>
GDSD_INLINE Word part_of_word(const T* p, int64_t n) {
  T part[kPerWord<T>] = {};
  for (int64_t e = 0; e < n; ++e) part[e] = p[e];
  Word word;
  __builtin_memcpy(&word, part, sizeof word);
  return word;
}

/// Rows of [n, h] as the A of a product over h: [n, words of h], the last word filled with zero.
template <class T>
void copy_rows(const T* x, int64_t row, int64_t n, int64_t h, Word* out) {
  const int64_t whole = h / kPerWord<T>, rest = h % kPerWord<T>;
  for (int64_t i = 0; i < n; ++i, x += row) {
    __builtin_memcpy(out, x, whole * sizeof(Word));
    out += whole;
    if (rest) *out++ = part_of_word(x + whole * kPerWord<T>, rest);
  }
}

/// xᵀ of x [n, h] as the B of a product over h: columns are x's rows, then zeros.
template <class T>
void pack_transposed(const T* x, int64_t row, int64_t n, int64_t h, Word* out) {
  const int64_t whole = h / kPerWord<T>, rest = h % kPerWord<T>, words = whole + (rest > 0);
  for (int64_t j = 0; j < round_up(n, W); ++j, x += row) {
    Word* to = out + j / kPanel * (words * kPanel) + j % kPanel;
    if (j >= n) {
      for (int64_t i = 0; i < words; ++i) to[i * kPanel] = 0;
      continue;
    }
    for (int64_t i = 0; i < whole; ++i)
      __builtin_memcpy(to + i * kPanel, x + i * kPerWord<T>, sizeof(Word));
    if (rest) to[whole * kPanel] = part_of_word(x + whole * kPerWord<T>, rest);
  }
}

/// W numbers of each of one or two rows as words.
template <class T>
GDSD_INLINE Floats zip(Floats even, Floats odd) {
  if constexpr (sizeof(T) == 4) return even;
  const auto low = reinterpret_cast<Words>(even) >> 16;  // exact: they are bfloat16
  return reinterpret_cast<Floats>(low | reinterpret_cast<Words>(odd));
}

/// x [n, h] as the B of a product over n: columns are x's, then zeros.
template <class T>
void pack(const T* x, int64_t row, int64_t n, int64_t h, Word* out) {
  const int64_t words = round_up(n, kPerWord<T>) / kPerWord<T>;
  for (int64_t i = 0; i < words; ++i) {
    const T* even = x + i * kPerWord<T> * row;
    const bool alone = (i + 1) * kPerWord<T> > n;
    for_each_vector(h, [&](int64_t d, auto get, auto) {
      float* to =
          reinterpret_cast<float*>(out + d / kPanel * (words * kPanel) + i * kPanel + d % kPanel);
      const Floats odd = sizeof(T) == 4 || alone ? all(0.0f) : get(even + row + d);
      store(to, zip<T>(get(even + d), odd));
    });
  }
}

/// xᵀ of x [n, h] as the A of a product over n: [h, words of n].
template <class T>
void copy_columns(const T* x, int64_t row, int64_t n, int64_t h, Word* out) {
  const int64_t words = round_up(n, kPerWord<T>) / kPerWord<T>;
  for (int64_t d = 0; d < h; ++d) {
    T* to = reinterpret_cast<T*>(out + d * words);
    for (int64_t i = 0; i < n; ++i) to[i] = x[i * row + d];
    for (int64_t i = n; i < words * kPerWord<T>; ++i) to[i] = T{};
  }
}

}  // namespace gdsd::GDSD_ISA
