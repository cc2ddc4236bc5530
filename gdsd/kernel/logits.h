// What the vocabulary head asks of a row of logits, one pass or two over memory in cache.
#pragma once

#include "gdsd/kernel/kernels.h"
#include "gdsd/kernel/vector.h"

namespace gdsd::GDSD_ISA {

inline constexpr float kLowest = -3e38f;

/// Σ exp(z − top), and with it Σ exp(z − top)(z − top) if `entropy`.
template <class T>
GDSD_INLINE float exponentials(const T* z, int64_t V, float top, bool entropy, float& moment) {
  Floats total = all(0.0f), moments = all(0.0f);
  float extra = 0;
  for_each_vector(V, [&](int64_t v, auto get, auto) {
    const Floats below = max(all(-1e4f), get(z + v) - top);
    const Floats p = exp2(below * kLog2E);
    if (v + W <= V) {
      total += p;
      if (entropy) moments += p * below;
    } else {
      for (int64_t i = 0; i < V - v; ++i) extra += p[i], moment += p[i] * below[i];
    }
  });
  moment += sum(moments);
  return sum(total) + extra;
}

template <class T>
RowSummary summarise(const T* z, int64_t V, bool entropy) {
  Floats most = all(kLowest), second = all(kLowest);
  Ints at = all(0), here = all(0);
  for (int i = 0; i < W; ++i) here[i] = i;
  for_each_vector(V, [&](int64_t v, auto get, auto) {
    Floats x = get(z + v);
    for (int64_t i = V - v; i < W; ++i) x[i] = kLowest;
    const Ints higher = x > most;
    second = max(second, higher ? most : x);
    at = higher ? here : at;
    most = max(most, x);
    here += W;
  });
  RowSummary row{.largest = most[0], .second = second[0], .argmax = at[0]};
  for (int i = 1; i < W; ++i) {
    const bool higher = most[i] > row.largest || (most[i] == row.largest && at[i] < row.argmax);
    const float other = most[i] > row.largest ? row.largest : most[i];
    if (other > row.second) row.second = other;
    if (second[i] > row.second) row.second = second[i];
    if (higher) row.largest = most[i], row.argmax = at[i];
  }
  float moment = 0;
  const float total = exponentials(z, V, row.largest, entropy, moment);
  row.log_z = row.largest + __builtin_logf(total);
  row.entropy = __builtin_logf(total) - moment / total;
  return row;
}

template <class T>
void log_prob_gradient(T* z, int64_t V, float log_z, int64_t target, float g) {
  const float at_target = (load(z + target, 1)[0] - log_z) * kLog2E;
  for_each_vector(V, [&](int64_t v, auto get, auto put) {
    put(z + v, exp2((get(z + v) - log_z) * kLog2E) * -g);
  });
  store(z + target, (1.0f - exp2(all(at_target))) * g, 1);
}

}  // namespace gdsd::GDSD_ISA
