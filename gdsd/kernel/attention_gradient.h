// The gradient of attention. With P = exp(scale q kᵀ − lse), D_i = Σ_d out_id d_out_id:
//   dV = Pᵀ dO,  dS = P ∘ (dO Vᵀ − D),  dQ = scale dS K,  dK = scale dSᵀ Q.
// It goes over blocks of keys and makes the transposes of P and dS, in rows of queries, which is what
// dV and dK need; of dQ it sums the transpose.
#pragma once

#include "gdsd/kernel/attention.h"

namespace gdsd::GDSD_ISA {

template <class T>
struct GradientMemory {
  GradientMemory(const Attention<T>& a, Scratch& s)
      : columns(round_up(a.queries, W)),
        width(round_up(a.h, W)),
        words(words_of<T>(a.h)),
        q_transposed(s.words(packed_size(words, a.queries))),
        do_transposed(s.words(packed_size(words, a.queries))),
        q(s.words(packed_size(words_of<T>(a.queries), a.h))),
        d_out(s.words(packed_size(words_of<T>(a.queries), a.h))),
        k(s.words(a.keys * words)),
        v(s.words(a.keys * words)),
        k_columns(s.words(a.h * words_of<T>(a.keys))),
        ds_packed(s.words(packed_size(words_of<T>(kKeyBlock), a.queries))),
        p(s.floats(kKeyBlock * columns)),
        ds(s.floats(kKeyBlock * columns)),
        lse(s.floats(columns)),
        dot_out(s.floats(columns)),
        d_q(s.floats(a.h * columns)),
        d_k(s.floats(a.keys * width)),
        d_v(s.floats(a.keys * width)) {}

  int64_t columns, width, words;
  Word *q_transposed, *do_transposed;  // B [words of h, queries]
  Word *q, *d_out;                     // B [words of queries, h]
  Word *k, *v;                         // A [keys, words of h]
  Word* k_columns;                     // A [h, words of keys]
  Word* ds_packed;                     // B [words of a block of keys, queries]
  float *p, *ds;                       // [a block of keys, columns]: scores, then Pᵀ, dSᵀ as T
  float *lse, *dot_out;                // [columns]: lse · log2 e; D
  float* d_q;                          // [h, columns]
  float *d_k, *d_v;                    // [keys, width]
};

/// What belongs to one query head: its packed copies, lse and D.
template <class T>
void load_head(const AttentionGradient<T>& a, const GradientMemory<T>& m, int64_t head) {
  const T* q = a.q + head * a.h;
  const T* d_out = a.d_out + head * a.h;
  pack_transposed(q, a.q_row, a.queries, a.h, m.q_transposed);
  pack_transposed(d_out, a.d_out_row, a.queries, a.h, m.do_transposed);
  pack(q, a.q_row, a.queries, a.h, m.q);
  pack(d_out, a.d_out_row, a.queries, a.h, m.d_out);
  for (int64_t i = 0; i < a.queries; ++i) {
    const T* out = a.out + i * a.out_row + head * a.h;
    const T* grad = d_out + i * a.d_out_row;
    Floats total = all(0.0f);
    for_each_vector(a.h, [&](int64_t d, auto get, auto) { total += get(out + d) * get(grad + d); });
    m.dot_out[i] = sum(total);
    m.lse[i] = a.lse[i * a.lse_row + head] * kLog2E;
  }
  for (int64_t i = a.queries; i < m.columns; ++i) m.dot_out[i] = 0, m.lse[i] = 1e30f;
  for (int64_t i = 0; i < a.h * m.columns; ++i) m.d_q[i] = 0;
}

/// Writes a vector of dS of keys j and j + 1 as words of the packed dS.
template <class T>
GDSD_INLINE void pack_pair(Word* out, Floats even, Floats odd) {
  if constexpr (sizeof(T) == 4) {
    store(reinterpret_cast<float*>(out), even);
    (void)odd;
  } else {
    const auto low = reinterpret_cast<Words>(round_upper(even));
    const Ints high = round_upper(odd) & all(static_cast<int32_t>(0xffff0000));
    store(reinterpret_cast<float*>(out),
          reinterpret_cast<Floats>(reinterpret_cast<Ints>(low >> 16) | high));
  }
}

/// Rows of scores and of dO Vᵀ → Pᵀ and dSᵀ in their memory, as T, and dS packed.
template <class T>
void weigh_block(const GradientMemory<T>& m, int64_t n, float c) {
  constexpr int64_t kEach = kPerWord<T>;
  for (int64_t j = 0; j < n; j += kEach) {
    for (int64_t i = 0; i < m.columns; i += W) {
      const Floats lse = load(m.lse + i), dot_out = load(m.dot_out + i);
      Floats ds[2] = {all(0.0f), all(0.0f)};
      for (int64_t e = 0; e < kEach && j + e < n; ++e) {
        float* p_row = m.p + (j + e) * m.columns;
        float* ds_row = m.ds + (j + e) * m.columns;
        const Floats p = exp2(load(p_row + i) * c - lse);
        ds[e] = p * (load(ds_row + i) - dot_out);
        store(reinterpret_cast<T*>(p_row) + i, p);
        store(reinterpret_cast<T*>(ds_row) + i, ds[e]);
      }
      Word* to = m.ds_packed + i / kPanel * (words_of<T>(n) * kPanel) + i % kPanel;
      pack_pair<T>(to + j / kEach * kPanel, ds[0], ds[1]);
    }
  }
}

template <class T>
void gradient_block(const AttentionGradient<T>& a, const GradientMemory<T>& m, int64_t first,
                    int64_t n) {
  auto words = [](float* x) { return reinterpret_cast<const Word*>(x); };
  const int64_t of_queries = words_of<T>(a.queries);
  product<T>(m.k + first * m.words, m.words, n, m.q_transposed, m.words, m.columns, m.p, m.columns,
             false);
  product<T>(m.v + first * m.words, m.words, n, m.do_transposed, m.words, m.columns, m.ds,
             m.columns, false);
  weigh_block<T>(m, n, a.scale * kLog2E);
  product<T>(words(m.p), m.columns, n, m.d_out, of_queries, m.width, m.d_v + first * m.width,
             m.width, true);
  product<T>(words(m.ds), m.columns, n, m.q, of_queries, m.width, m.d_k + first * m.width, m.width,
             true);
  product<T>(m.k_columns + first / kPerWord<T>, words_of<T>(a.keys), a.h, m.ds_packed,
             words_of<T>(n), m.columns, m.d_q, m.columns, true);
}

template <class T>
void attention_gradient(const AttentionGradient<T>& a, float* memory) {
  Scratch scratch(memory);
  const GradientMemory<T> m(a, scratch);
  copy_rows(a.k, a.k_row, a.keys, a.h, m.k);
  copy_rows(a.v, a.v_row, a.keys, a.h, m.v);
  copy_columns(a.k, a.k_row, a.keys, a.h, m.k_columns);
  for (int64_t i = 0; i < a.keys * m.width; ++i) m.d_k[i] = m.d_v[i] = 0;
  for (int64_t head = 0; head < a.group; ++head) {
    load_head(a, m, head);
    for (int64_t j = 0; j < a.keys; j += kKeyBlock)
      gradient_block(a, m, j, least(kKeyBlock, a.keys - j));
    for (int64_t i = 0; i < a.queries; ++i) {
      T* to = a.d_q + i * a.d_q_row + head * a.h;
      float row[W] = {};
      for_each_vector(a.h, [&](int64_t d, auto, auto put) {
        for (int64_t e = 0; e < least(W, a.h - d); ++e)
          row[e] = m.d_q[(d + e) * m.columns + i] * a.scale;
        put(to + d, load(row));
      });
    }
  }
  for (int64_t j = 0; j < a.keys; ++j)
    for_each_vector(a.h, [&](int64_t d, auto, auto put) {
      put(a.d_k + j * a.d_k_row + d, load(m.d_k + j * m.width + d) * a.scale);
      put(a.d_v + j * a.d_v_row + d, load(m.d_v + j * m.width + d));
    });
}

template <class T>
int64_t attention_gradient_scratch(const Attention<T>& a) {
  Scratch count(nullptr);
  const GradientMemory<T> m(a, count);
  return count.used();
}

}  // namespace gdsd::GDSD_ISA
