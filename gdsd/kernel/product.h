// C = A B, the building block of attention and of linear layers: float32, or bfloat16 with float32
// sums.
//
// B is packed in panels of kPanel columns, each [k, kPanel] words, so that a tile of C reads it in
// order; columns behind the last are zeros. k counts words: pairs of bfloat16. Every number of C is
// one sum in the order of k, whatever rows and columns are beside it.
#pragma once

#include <utility>

#include "gdsd/kernel/vector.h"

namespace gdsd::GDSD_ISA {

inline constexpr int64_t kPanel = W * kTileVectors;

/// Words that n numbers fill.
template <class T>
GDSD_INLINE int64_t words_of(int64_t n) {
  return round_up(n, kPerWord<T>) / kPerWord<T>;
}

/// Words of a packed B with n columns.
GDSD_INLINE int64_t packed_size(int64_t k, int64_t n) { return k * round_up(n, kPanel); }

/// What is multiplied: rows of A are a_row words apart, those of C c_row numbers.
template <class C>
struct Operands {
  const LooseWord* a;
  int64_t a_row, a_step;  // a_step: words from one k to the next
  const Word* b;
  int64_t k;
  const C* base;  // is added, rows base_row apart; null: nothing
  int64_t base_row;
  C* c;
  int64_t c_row;

  GDSD_INLINE Operands from_row(int64_t i) const {
    Operands out = *this;
    out.a += i * a_row;
    if (base) out.base += i * base_row;
    out.c += i * c_row;
    return out;
  }
};

/// The last vector of columns has `part` ≤ W of them, W unless kPart.
template <class T, int kRows, int kVectors, bool kPart, class C>
GDSD_INLINE void tile(const Operands<C> o, int64_t part) {
  auto in_part = [&](int v) { return kPart && v == kVectors - 1; };
  Floats sums[kRows][kVectors];
  for (int r = 0; r < kRows; ++r)
    for (int v = 0; v < kVectors; ++v) {
      sums[r][v] = all(0.0f);
      if (!o.base) continue;
      const C* from = o.base + r * o.base_row + v * W;
      sums[r][v] = in_part(v) ? load(from, part) : load(from);
    }
  for (int64_t i = 0; i < o.k; ++i) {
    Floats column[kVectors];
    for (int v = 0; v < kVectors; ++v)
      column[v] = load(reinterpret_cast<const float*>(o.b + i * kPanel + v * W));
    for (int r = 0; r < kRows; ++r) {
      const auto row =
          reinterpret_cast<Floats>(all(static_cast<int32_t>(o.a[r * o.a_row + i * o.a_step])));
      for (int v = 0; v < kVectors; ++v) sums[r][v] = dot<T>(sums[r][v], row, column[v]);
    }
  }
  for (int r = 0; r < kRows; ++r)
    for (int v = 0; v < kVectors; ++v) {
      C* to = o.c + r * o.c_row + v * W;
      in_part(v) ? store(to, sums[r][v], part) : store(to, sums[r][v]);
    }
}

/// The last m < kRows + 1 rows of a panel.
template <class T, int kVectors, bool kPart, int kRows, class C>
GDSD_INLINE void last_rows(const Operands<C>& o, int64_t m, int64_t part) {
  if constexpr (kRows > 0) {
    if (m == kRows) return tile<T, kRows, kVectors, kPart>(o, part);
    last_rows<T, kVectors, kPart, kRows - 1>(o, m, part);
  }
}

template <class T, int kVectors, bool kPart, class C>
void panel(const Operands<C>& o, int64_t m, int64_t part) {
  int64_t i = 0;
  for (; i + kTileRows <= m; i += kTileRows)
    tile<T, kTileRows, kVectors, kPart>(o.from_row(i), part);
  last_rows<T, kVectors, kPart, kTileRows - 1>(o.from_row(i), m - i, part);
}

template <class T, int kVectors, class C>
GDSD_INLINE void last_panel(const Operands<C>& o, int64_t m, int64_t columns) {
  if constexpr (kVectors > 0) {
    if (columns == kVectors * W) return panel<T, kVectors, false>(o, m, W);
    if (columns > (kVectors - 1) * W)
      return panel<T, kVectors, true>(o, m, columns - (kVectors - 1) * W);
    last_panel<T, kVectors - 1>(o, m, columns);
  }
}

/// C [m, n] = base + A B, rounded to C's type at the end.
template <class T, class C>
void product(Operands<C> o, int64_t m, int64_t n) {
  for (int64_t j = 0; j < n; j += kPanel, o.b += o.k * kPanel, o.c += kPanel) {
    last_panel<T, kTileVectors>(o, m, least(n - j, kPanel));
    if (o.base) o.base += kPanel;
  }
}

/// C [m, n] = A B, or C + A B if `add`.
template <class T, class C>
void product(const Word* a, int64_t a_row, int64_t m, const Word* b, int64_t k, int64_t n, C* c,
             int64_t c_row, bool add) {
  product<T>(Operands<C>{a, a_row, 1, b, k, add ? c : nullptr, c_row, c, c_row}, m, n);
}

/// The first n ≤ 2 numbers at p, then zeros, as one word.
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

/// The low, or high, halves of a and b, number by number in turn.
template <int kFrom, int... I>
GDSD_INLINE Floats interleave(Floats a, Floats b, std::integer_sequence<int, I...>) {
  return __builtin_shufflevector(a, b, (kFrom + I / 2 + I % 2 * W)...);
}

/// W rows of W words, `row` bytes apart, as columns: rows of `out` are kPanel words apart.
GDSD_INLINE void transpose(const char* x, int64_t row, Word* out) {
  constexpr auto kLanes = std::make_integer_sequence<int, W>();
  Floats now[W], next[W];
  for (int i = 0; i < W; ++i) __builtin_memcpy(&now[i], x + i * row, sizeof(Floats));
  for (int run = 1; run < W; run *= 2) {  // a perfect shuffle of the rows' numbers each time
    for (int i = 0; i < W / 2; ++i) {
      next[2 * i] = interleave<0>(now[i], now[i + W / 2], kLanes);
      next[2 * i + 1] = interleave<W / 2>(now[i], now[i + W / 2], kLanes);
    }
    for (int i = 0; i < W; ++i) now[i] = next[i];
  }
  for (int i = 0; i < W; ++i) store(reinterpret_cast<float*>(out + i * kPanel), now[i]);
}

/// xᵀ of x [n, h] as the B of a product over h: columns are x's rows, then zeros.
template <class T>
void pack_transposed(const T* x, int64_t row, int64_t n, int64_t h, Word* out) {
  const int64_t whole = h / kPerWord<T>, words = words_of<T>(h);
  for (int64_t j = 0; j < round_up(n, W); j += W, x += W * row) {
    Word* to = out + j / kPanel * (words * kPanel) + j % kPanel;
    int64_t i = 0;
    for (; j + W <= n && i + W <= whole; i += W)
      transpose(reinterpret_cast<const char*>(x + i * kPerWord<T>),
                row * static_cast<int64_t>(sizeof(T)), to + i * kPanel);
    for (; i < words; ++i)
      for (int c = 0; c < W; ++c) {
        const int64_t there = j + c < n ? least(h - i * kPerWord<T>, kPerWord<T>) : 0;
        to[i * kPanel + c] = part_of_word(x + c * row + i * kPerWord<T>, there);
      }
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
  const int64_t words = words_of<T>(n);
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
  const int64_t words = words_of<T>(n);
  for (int64_t d = 0; d < h; ++d) {
    T* to = reinterpret_cast<T*>(out + d * words);
    for (int64_t i = 0; i < n; ++i) to[i] = x[i * row + d];
    for (int64_t i = n; i < words * kPerWord<T>; ++i) to[i] = T{};
  }
}

}  // namespace gdsd::GDSD_ISA
