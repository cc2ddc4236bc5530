// Counter-based random numbers: the same on every device, in any batch, after any resume.
#pragma once

#include <array>
#include <numeric>
#include <utility>
#include <vector>

#include "gdsd/base/key.h"

namespace gdsd {

/// Four random words at position `counter` of the stream `key`: Philox 4x32-10, Salmon et al. 2011.
constexpr std::array<uint32_t, 4> philox(Key key, uint64_t counter) {
  std::array<uint32_t, 4> c{static_cast<uint32_t>(counter), static_cast<uint32_t>(counter >> 32)};
  uint32_t k0 = static_cast<uint32_t>(key.bits), k1 = static_cast<uint32_t>(key.bits >> 32);
  for (int round = 0; round < 10; ++round) {
    const uint64_t p0 = uint64_t{0xD2511F53} * c[0], p1 = uint64_t{0xCD9E8D57} * c[2];
    c = {static_cast<uint32_t>(p1 >> 32) ^ c[1] ^ k0, static_cast<uint32_t>(p1),
         static_cast<uint32_t>(p0 >> 32) ^ c[3] ^ k1, static_cast<uint32_t>(p0)};
    k0 += 0x9E3779B9;
    k1 += 0xBB67AE85;
  }
  return c;
}

/// Draw `i` of the stream, uniform in (0, 1).
constexpr double uniform(Key key, uint64_t i) {
  return (philox(key, i / 4)[i % 4] + 0.5) * 0x1p-32;
}

/// 1 − u of the number u that uniform() draws at i, of whose words `word` is that at i. Where that is
/// below 2⁻¹² it has 32 bits more, from a stream beside, so that it is resolved to 2⁻²⁰ of itself
/// down to 2⁻⁴⁴: a token of probability p is drawn when −log u, which is 1 − u then, is about p or
/// less.
constexpr double uniform_rest(Key key, uint64_t i, uint32_t word) {
  constexpr uint32_t kSmall = uint32_t{1} << 20;
  const double below = ~word < kSmall ? uniform(key.fork("rest"), i) : 0.5;
  return (~word + below) * 0x1p-32;
}
constexpr double uniform_rest(Key key, uint64_t i) {
  return uniform_rest(key, i, philox(key, i / 4)[i % 4]);
}

/// Draw `i` of the stream, an integer uniform in {0, …, n − 1}; n < 2^32.
constexpr uint64_t below(Key key, uint64_t i, uint64_t n) {
  return (uint64_t{philox(key, i / 4)[i % 4]} * n) >> 32;
}

/// 0, …, n − 1 in an order drawn from the stream (Fisher–Yates).
inline std::vector<int64_t> permutation(Key key, int64_t n) {
  std::vector<int64_t> order(n);
  std::iota(order.begin(), order.end(), 0);
  for (int64_t i = 0; i + 1 < n; ++i) std::swap(order[i], order[i + below(key, i, n - i)]);
  return order;
}

}  // namespace gdsd
