// softmax(scale q kᵀ) v and its gradient, one sequence and head at a time: matrix products of blocks
// whose scores stay in cache, in float32. Dao 2023, arXiv:2307.08691 (FlashAttention-2), without the
// online softmax: a row of scores fits the cache of a CPU.
#pragma once

#include "gdsd/kernel/kernels.h"
#include "gdsd/kernel/product.h"

namespace gdsd::GDSD_ISA {

inline constexpr int64_t kQueryBlock = 4 * kTileRows;  // rows of scores at once
inline constexpr int64_t kKeyBlock = 64;               // in the gradient; even

/// Hands out pieces of the caller's scratch memory, or, without any, counts what it would take.
class Scratch {
 public:
  explicit Scratch(float* memory) : next_(memory) {}

  float* floats(int64_t n) {
    used_ += round_up(n, 16);
    float* piece = next_;
    if (next_) next_ += round_up(n, 16);
    return piece;
  }
  Word* words(int64_t n) { return reinterpret_cast<Word*>(floats(n)); }
  int64_t used() const { return used_; }

 private:
  float* next_;
  int64_t used_ = 0;
};

template <class T>
struct ForwardMemory {
  ForwardMemory(const Attention<T>& a, Scratch& scratch)
      : columns(round_up(a.keys, W)),
        width(round_up(a.h, W)),
        keys(scratch.words(packed_size(words_of<T>(a.h), a.keys))),
        values(scratch.words(packed_size(words_of<T>(a.keys), a.h))),
        queries(scratch.words(kQueryBlock * words_of<T>(a.h))),
        scores(scratch.floats(kQueryBlock * columns)),
        out(scratch.floats(kQueryBlock * width)) {}

  int64_t columns, width;  // of scores and out: multiples of W
  Word *keys, *values, *queries;
  float *scores, *out;
};

/// A row of scores → weights exp(…) in its own memory, as T, and → their sum. `c` is scale · log2 e.
template <class T>
GDSD_INLINE float softmax_row(float* row, int64_t keys, int64_t columns, float c, float& top) {
  for (int64_t j = keys; j < columns; ++j) row[j] = -1e30f;
  Floats most = load(row);
  for (int64_t j = W; j < columns; j += W) most = max(most, load(row + j));
  top = largest(most) * c;
  Floats total = all(0.0f);
  for (int64_t j = 0; j < columns; j += W) {
    const Floats p = exp2(load(row + j) * c - top);
    total += p;
    store(reinterpret_cast<T*>(row) + j, p);  // never ahead of what is still to be read
  }
  return sum(total);
}

template <class T>
void attend_block(const Attention<T>& a, const ForwardMemory<T>& m, int64_t head, int64_t first,
                  int64_t n) {
  const float c = a.scale * kLog2E;
  copy_rows(a.q + first * a.q_row + head * a.h, a.q_row, n, a.h, m.queries);
  product<T>(m.queries, words_of<T>(a.h), n, m.keys, words_of<T>(a.h), m.columns, m.scores,
             m.columns, false);
  float inverse[kQueryBlock];
  for (int64_t i = 0; i < n; ++i) {
    float top;
    const float total = softmax_row<T>(m.scores + i * m.columns, a.keys, m.columns, c, top);
    inverse[i] = 1 / total;
    if (a.lse) a.lse[(first + i) * a.lse_row + head] = top / kLog2E + __builtin_logf(total);
  }
  product<T>(reinterpret_cast<const Word*>(m.scores), m.columns, n, m.values, words_of<T>(a.keys),
             m.width, m.out, m.width, false);
  for (int64_t i = 0; i < n; ++i) {
    T* to = a.out + (first + i) * a.out_row + head * a.h;
    const float* from = m.out + i * m.width;
    for_each_vector(a.h,
                    [&](int64_t d, auto, auto put) { put(to + d, load(from + d) * inverse[i]); });
  }
}

template <class T>
void attention(const Attention<T>& a, float* memory) {
  Scratch scratch(memory);
  const ForwardMemory<T> m(a, scratch);
  pack_transposed(a.k, a.k_row, a.keys, a.h, m.keys);
  pack(a.v, a.v_row, a.keys, a.h, m.values);
  for (int64_t head = 0; head < a.group; ++head)
    for (int64_t i = 0; i < a.queries; i += kQueryBlock)
      attend_block(a, m, head, i, least(kQueryBlock, a.queries - i));
}

template <class T>
int64_t attention_scratch(const Attention<T>& a) {
  Scratch count(nullptr);
  const ForwardMemory<T> m(a, count);
  return count.used();
}

}  // namespace gdsd::GDSD_ISA
