#include "gdsd/data/numpy_order.h"

#include <bit>
#include <numeric>
#include <random>
#include <utility>

#include "gdsd/base/check.h"

namespace gdsd {

std::vector<int64_t> numpy_choice(uint32_t seed, int64_t n, int64_t count) {
  check(count >= 0 && count <= n && n < int64_t{1} << 31, "[data] got ", count, " of ", n,
        " to choose, expected at most as many as there are, below 2^31.");
  std::mt19937 words(seed);  // MT19937 is NumPy's, seeded alike
  std::vector<int64_t> order(n);
  std::iota(order.begin(), order.end(), 0);
  for (int64_t last = n - 1; last > 0; --last) {
    // An integer up to `last`: the low bits of a word, drawn again where they are more.
    const uint32_t mask = (uint32_t{1} << std::bit_width(static_cast<uint32_t>(last))) - 1;
    int64_t i = words() & mask;
    while (i > last) i = words() & mask;
    std::swap(order[last], order[i]);
  }
  order.resize(count);
  return order;
}

}  // namespace gdsd
