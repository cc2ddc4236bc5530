// Sixteen bytes of a row at a time, as floats: what a thread of a GPU reads in one instruction.
#pragma once

#include <bit>
#include <cstring>

#include "gdsd/cuda/team.h"
#include "gdsd/kernel/bfloat16.h"

namespace gdsd::cuda {

template <class T>
inline constexpr int kPack = 16 / sizeof(T);

GDSD_BOTH float to_float(float x) { return x; }
GDSD_BOTH float to_float(Bfloat16 x) { return std::bit_cast<float>(uint32_t{x.bits} << 16); }

/// x rounded to T, to the nearest, even on ties.
template <class T>
GDSD_BOTH T from_float(float x) {
  if constexpr (sizeof(T) == 4) {
    return x;
  } else {
    const auto bits = std::bit_cast<uint32_t>(x);
    if (x != x) return T{0x7fff};
    return T{static_cast<uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16)};
  }
}

template <class T>
GDSD_BOTH float rounded(float x) {
  return to_float(from_float<T>(x));
}

template <class T>
GDSD_BOTH int64_t packs_of(int64_t n) {
  return (n + kPack<T> - 1) / kPack<T>;
}

template <class T>
struct Floats {
  float x[kPack<T>];
};

/// Whether the `count` numbers at p are to be moved by one instruction.
template <class T>
GDSD_BOTH bool is_whole(const T* p, int64_t count) {
  return count >= kPack<T> && reinterpret_cast<uintptr_t>(p) % 16 == 0;
}

/// The `count` numbers from p on, and zeros.
template <class T>
GDSD_BOTH Floats<T> load(const T* p, int64_t count) {
  Floats<T> out;
#if defined(__CUDA_ARCH__)
  if (is_whole(p, count)) {
    const uint4 words = *reinterpret_cast<const uint4*>(p);
    T all[kPack<T>];
    memcpy(all, &words, sizeof words);
    for (int i = 0; i < kPack<T>; ++i) out.x[i] = to_float(all[i]);
    return out;
  }
#endif
  for (int i = 0; i < kPack<T>; ++i) out.x[i] = i < count ? to_float(p[i]) : 0.0f;
  return out;
}

/// The first `count` of `from`, rounded, to p.
template <class T>
GDSD_BOTH void store(T* p, const Floats<T>& from, int64_t count) {
#if defined(__CUDA_ARCH__)
  if (is_whole(p, count)) {
    T all[kPack<T>];
    for (int i = 0; i < kPack<T>; ++i) all[i] = from_float<T>(from.x[i]);
    uint4 words;
    memcpy(&words, all, sizeof words);
    *reinterpret_cast<uint4*>(p) = words;
    return;
  }
#endif
  for (int i = 0; i < kPack<T>; ++i)
    if (i < count) p[i] = from_float<T>(from.x[i]);
}

/// Calls body(at, count) for this lane's packs of n numbers of type T.
template <class T, class Team, class F>
GDSD_BOTH void for_each_pack(const Team& team, int64_t n, F&& body) {
  for (int64_t at = int64_t{team.rank()} * kPack<T>; at < n; at += int64_t{team.size()} * kPack<T>)
    body(at, n - at < kPack<T> ? n - at : kPack<T>);
}

}  // namespace gdsd::cuda
