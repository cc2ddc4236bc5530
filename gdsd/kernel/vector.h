// One vector type for three instruction sets. Every file that includes this is compiled once for
// each, in a namespace of its own, GDSD_ISA; which one runs is chosen at run time (kernels.h).
//
// Nothing here or in the kernels calls a function of the standard library that could be compiled out
// of line: the linker would keep one copy for the whole program, perhaps of instructions that the
// machine does not have.
#pragma once

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include <cstdint>

#include "gdsd/kernel/bfloat16.h"

#ifndef GDSD_ISA
#define GDSD_ISA portable
#endif

namespace gdsd::GDSD_ISA {

// W lanes of float32; products keep kTileRows × kTileVectors of them in registers.
#if defined(__AVX512BF16__)
inline constexpr int W = 16, kTileRows = 6, kTileVectors = 4;
#elif defined(__AVX2__)
inline constexpr int W = 8, kTileRows = 4, kTileVectors = 3;
#else
inline constexpr int W = 4, kTileRows = 4, kTileVectors = 3;
#endif

using Floats = float __attribute__((vector_size(4 * W)));
using Ints = int32_t __attribute__((vector_size(4 * W)));
using Words = uint32_t __attribute__((vector_size(4 * W)));
using LooseFloats = float __attribute__((vector_size(4 * W), aligned(4), may_alias));
using LooseInts = int32_t __attribute__((vector_size(4 * W), aligned(2), may_alias));
using LooseShorts = uint16_t __attribute__((vector_size(2 * W), aligned(2), may_alias));

/// The 32 bits that a product broadcasts: one float32, or two bfloat16 of neighbouring k.
using Word = uint32_t;
using LooseWord = uint32_t __attribute__((may_alias));  // of numbers where they lie
template <class T>
inline constexpr int64_t kPerWord = sizeof(Word) / sizeof(T);

#define GDSD_INLINE inline __attribute__((always_inline))

GDSD_INLINE int64_t round_up(int64_t n, int64_t to) { return (n + to - 1) / to * to; }
GDSD_INLINE int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

GDSD_INLINE Floats all(float x) { return Floats{} + x; }
GDSD_INLINE Ints all(int32_t x) { return Ints{} + x; }
/// b where either is no number.
GDSD_INLINE Floats max(Floats a, Floats b) { return a > b ? a : b; }

GDSD_INLINE Floats load(const float* p) { return *reinterpret_cast<const LooseFloats*>(p); }
GDSD_INLINE void store(float* p, Floats x) { *reinterpret_cast<LooseFloats*>(p) = x; }

/// The bits of x rounded to bfloat16, to nearest even, in the upper half of each lane.
GDSD_INLINE Ints round_upper(Floats x) {
  const Ints bits = reinterpret_cast<Ints>(x);
  return bits + 0x7fff + ((bits >> 16) & 1);
}

GDSD_INLINE Floats load(const Bfloat16* p) {
  const auto raw = *reinterpret_cast<const LooseShorts*>(p);
  return reinterpret_cast<Floats>(__builtin_convertvector(raw, Ints) << 16);
}
GDSD_INLINE void store(Bfloat16* p, Floats x) {
#if defined(__AVX512BF16__)
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p),
                      reinterpret_cast<__m256i>(_mm512_cvtneps_pbh(x)));
#else
  const auto upper = reinterpret_cast<Words>(round_upper(x));
  *reinterpret_cast<LooseShorts*>(p) = __builtin_convertvector(upper >> 16, LooseShorts);
#endif
}

/// The first n < W numbers at p, then zeros; and back.
template <class T>
GDSD_INLINE Floats load(const T* p, int64_t n) {
  T part[W] = {};
  for (int64_t i = 0; i < n; ++i) part[i] = p[i];
  return load(part);
}
template <class T>
GDSD_INLINE void store(T* p, Floats x, int64_t n) {
  T part[W];
  store(part, x);
  for (int64_t i = 0; i < n; ++i) p[i] = part[i];
}

/// Calls body(i, load, store) for i = 0, W, … over n numbers; load and store know of the last part.
template <class F>
GDSD_INLINE void for_each_vector(int64_t n, F&& body) {
  int64_t i = 0;
  for (; i + W <= n; i += W)
    body(
        i, [](const auto* p) { return load(p); }, [](auto* p, Floats x) { store(p, x); });
  if (const int64_t rest = n - i)
    body(
        i, [rest](const auto* p) { return load(p, rest); },
        [rest](auto* p, Floats x) { store(p, x, rest); });
}

GDSD_INLINE float sum(Floats x) {
#if defined(__AVX512BF16__)
  return _mm512_reduce_add_ps(x);
#else
  float s[W];
  store(s, x);
  for (int w = W / 2; w > 0; w /= 2)
    for (int i = 0; i < w; ++i) s[i] += s[i + w];
  return s[0];
#endif
}
GDSD_INLINE float largest(Floats x) {
#if defined(__AVX512BF16__)
  return _mm512_reduce_max_ps(x);
#else
  float s[W];
  store(s, x);
  for (int w = W / 2; w > 0; w /= 2)
    for (int i = 0; i < w; ++i) s[i] = s[i] > s[i + w] ? s[i] : s[i + w];
  return s[0];
#endif
}

/// acc + a b, of words of float32 or of pairs of bfloat16.
template <class T>
GDSD_INLINE Floats dot(Floats acc, Floats a, Floats b) {
  if constexpr (sizeof(T) == 4) return acc + a * b;
#if defined(__AVX512BF16__)
  return _mm512_dpbf16_ps(acc, reinterpret_cast<__m512bh>(a), reinterpret_cast<__m512bh>(b));
#else
  const Ints x = reinterpret_cast<Ints>(a), y = reinterpret_cast<Ints>(b);
  const Ints upper = all(static_cast<int32_t>(0xffff0000));
  acc = acc + reinterpret_cast<Floats>(x << 16) * reinterpret_cast<Floats>(y << 16);
  return acc + reinterpret_cast<Floats>(x & upper) * reinterpret_cast<Floats>(y & upper);
#endif
}

/// 2^x for x ≤ 127, to 3e-7 relative; below 2^−125 that; not a number if x is none.
GDSD_INLINE Floats exp2(Floats x) {
  x = max(all(-125.0f), x);
  // 1.5 · 2²³: adding it rounds to an integer, which 127 makes a float's exponent.
  const Floats magic = all(12582912.0f + 127.0f);
  const Floats shifted = x + magic;
  const Floats r = x - (shifted - magic);  // −½ … ½
  // Taylor's ln(2)ⁿ/n!, the last two adjusted for the interval.
  Floats p = all(1.5403530e-4f);
  p = p * r + 1.3333558e-3f;
  p = p * r + 9.6181291e-3f;
  p = p * r + 5.5504109e-2f;
  p = p * r + 2.4022651e-1f;
  p = p * r + 6.9314718e-1f;
  p = p * r + 1.0f;
  return p * reinterpret_cast<Floats>(reinterpret_cast<Ints>(shifted) << 23);
}

inline constexpr float kLog2E = 1.44269504f;

}  // namespace gdsd::GDSD_ISA
