// The order in which NumPy's old generator draws without replacement: which problems the released
// evaluations ask.
#pragma once

#include <cstdint>
#include <vector>

namespace gdsd {

/// numpy.random.seed(seed); numpy.random.choice(n, count, replace=False): the first `count` of a
/// permutation of 0 … n − 1. Throws Error unless 0 <= count <= n < 2^31.
std::vector<int64_t> numpy_choice(uint32_t seed, int64_t n, int64_t count);

}  // namespace gdsd
