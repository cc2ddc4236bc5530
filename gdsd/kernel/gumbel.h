// Which tokens of a row can win the Gumbel-max draw. The draw itself is defined in float64
// (gdsd/tensor/proposal.h); in float32 all but a few tokens are seen to be too low for it.
#pragma once

#include "gdsd/kernel/vector.h"

namespace gdsd::GDSD_ISA {

/// Upper and lower half of x m, lane by lane.
GDSD_INLINE void multiply(Words x, uint32_t m, Words& high, Words& low) {
#if defined(__AVX512BF16__)
  const __m512i a = reinterpret_cast<__m512i>(x), b = _mm512_set1_epi32(static_cast<int>(m));
  const __m512i even = _mm512_mul_epu32(a, b), odd = _mm512_mul_epu32(_mm512_srli_epi64(a, 32), b);
  high = reinterpret_cast<Words>(_mm512_mask_blend_epi32(0xaaaa, _mm512_srli_epi64(even, 32), odd));
  low = reinterpret_cast<Words>(_mm512_mask_blend_epi32(0xaaaa, even, _mm512_slli_epi64(odd, 32)));
#else
  for (int i = 0; i < W; ++i) {
    const uint64_t product = uint64_t{x[i]} * m;
    high[i] = static_cast<uint32_t>(product >> 32);
    low[i] = static_cast<uint32_t>(product);
  }
#endif
}

/// philox() of W counters from `first` on: out[4 i + j] is word j of counter first + i.
GDSD_INLINE void philox_words(uint32_t first, uint32_t k0, uint32_t k1, uint32_t* out) {
  Words c[4] = {};
  for (int i = 0; i < W; ++i) c[0][i] = first + static_cast<uint32_t>(i);
  for (int round = 0; round < 10; ++round) {
    Words high0, low0, high1, low1;
    multiply(c[0], 0xD2511F53, high0, low0);
    multiply(c[2], 0xCD9E8D57, high1, low1);
    c[0] = high1 ^ c[1] ^ k0;
    c[1] = low1;
    c[2] = high0 ^ c[3] ^ k1;
    c[3] = low0;
    k0 += 0x9E3779B9;
    k1 += 0xBB67AE85;
  }
  for (int i = 0; i < W; ++i)
    for (int j = 0; j < 4; ++j) out[4 * i + j] = c[j][i];
}

/// log x of normal x > 0, to 2e-7 or, near 1, as much relative. Cephes' logf.
GDSD_INLINE Floats log(Floats x) {
  const Ints bits = reinterpret_cast<Ints>(x) - 0x3f3504f3;  // √½
  const Ints exponent = bits >> 23;
  const Floats m =
      reinterpret_cast<Floats>((bits & 0x007fffff) + 0x3f3504f3) - 1.0f;  // √½ − 1 … √2 − 1
  Floats p = all(7.0376836292e-2f);
  for (float c : {-1.1514610310e-1f, 1.1676998740e-1f, -1.2420140846e-1f, 1.4249322787e-1f,
                  -1.6668057665e-1f, 2.0000714765e-1f, -2.4999993993e-1f, 3.3333331174e-1f})
    p = p * m + c;
  const Floats square = m * m;
  return __builtin_convertvector(exponent, Floats) * 0.69314718f +
         (m - 0.5f * square + p * m * square);
}

// Below 2^-12 the rest 1 - u has more digits than a word: such a token's noise is only known to lie
// between these, -log(-log u) at 2^-12 and at 2^-65, the least that uniform_rest() gives.
inline constexpr float kRareLeast = 8.3f, kRareMost = 45.1f;
inline constexpr uint32_t kRare = uint32_t{1} << 20;

template <class T>
int64_t gumbel_candidates(const T* z, int64_t V, float inverse_temperature, uint32_t k0,
                          uint32_t k1, float* scores, int32_t* candidates) {
  uint32_t words[4 * W];
  Floats best = all(-__builtin_inff()), widest = all(0.0f);
  for (int64_t v = 0; v < V; v += W) {
    if (v % (4 * W) == 0) philox_words(static_cast<uint32_t>(v / 4), k0, k1, words);
    const Words rest = ~*reinterpret_cast<const Words __attribute__((aligned(4), may_alias))*>(
        words + v % (4 * W));
    const Floats part = __builtin_convertvector(rest, Floats) * 0x1p-32f;
    const Floats u = (__builtin_convertvector(~rest, Floats) + 0.5f) * 0x1p-32f;
    // -log u; where u is near 1, of 1 - u, which has the digits.
    const Floats near = part * (1.0f + part * (0.5f + part * 0.33333333f));
    const Floats e = part < 0x1p-8f ? near : -log(u);
    const Ints rare = rest < kRare;
    Floats x;
    if (v + W <= V) {
      x = load(z + v);
    } else {
      x = load(z + v, V - v);
      for (int64_t i = V - v; i < W; ++i) x[i] = -__builtin_inff();
    }
    x *= inverse_temperature;
    const Floats noise = -log(e);
    const Floats sizes = x < 0.0f ? -x : x;
    widest = max(widest, sizes < 1e30f ? sizes : all(0.0f));
    best = max(best, x + (rare ? all(kRareLeast) : noise));
    store(scores + v, x + (rare ? all(kRareMost) : noise));
  }
  // The noise's error is e's relative one, below 1e-4; x's is its rounding, 1e-7 of it.
  const float least = largest(best) - 1e-3f - 1e-6f * largest(widest);
  int64_t found = 0;
  for (int64_t v = 0; v < V; ++v)
    if (scores[v] >= least) candidates[found++] = static_cast<int32_t>(v);
  return found;
}

}  // namespace gdsd::GDSD_ISA
