// What the vocabulary head asks of a row of logits, for a team, in one pass over memory: the online
// softmax of Milakov and Gimelshein, arXiv:1805.02867, and with it the entropy's moment.
#pragma once

#include <cmath>

#include "gdsd/cuda/pack.h"
#include "gdsd/cuda/table.h"
#include "gdsd/kernel/kernels.h"

namespace gdsd::cuda {

inline constexpr float kLowest = -3e38f;

/// Of some logits z: the largest and the second, Σ e^(z − largest), Σ e^(z − largest)(z − largest).
struct Seen {
  float largest = kLowest, second = kLowest;
  int32_t argmax = 0x7fffffff;  // the lowest id on ties
  float total = 0, moment = 0;

  /// The sums for a larger `largest`.
  GDSD_BOTH void raise(float to) {
    if (to <= largest) return;
    const float below = largest - to > -1e4f ? largest - to : -1e4f;
    const float factor = std::exp(below);
    moment = (moment + total * below) * factor;
    total *= factor;
    largest = to;
  }

  /// The token v, v above those seen before.
  GDSD_BOTH void add(float z, int32_t v) {
    if (z > largest) {
      second = largest;
      argmax = v;
      raise(z);
    } else if (z > second) {
      second = z;
    }
    const float below = z - largest < -1e4f ? -1e4f : z - largest;  // not a number stays none
    const float p = std::exp(below);
    total += p;
    moment += p * below;
  }
};

GDSD_BOTH Seen merge(Seen a, Seen b) {
  const float low = a.largest < b.largest ? a.largest : b.largest;
  const float second = a.second > b.second ? a.second : b.second;
  const bool first = a.largest > b.largest || (a.largest == b.largest && a.argmax < b.argmax);
  a.raise(b.largest);
  b.raise(a.largest);
  return {.largest = a.largest,
          .second = low > second ? low : second,
          .argmax = first ? a.argmax : b.argmax,
          .total = a.total + b.total,
          .moment = a.moment + b.moment};
}

/// Of z [V]. Every lane has the answer.
template <class T, class Team>
GDSD_BOTH RowSummary summarise_row(const Team& team, const T* z, int64_t V) {
  Seen seen;
  for_each_pack<T>(team, V, [&](int64_t v, int64_t count) {
    const Floats<T> x = load(z + v, count);
    for (int i = 0; i < kPack<T>; ++i)
      if (i < count) seen.add(x.x[i], static_cast<int32_t>(v + i));
  });
  seen = team.combine(seen, [](const Seen& a, const Seen& b) { return merge(a, b); });
  const float log_total = std::log(seen.total);
  return {.largest = seen.largest,
          .log_z = seen.largest + log_total,
          .entropy = log_total - seen.moment / seen.total,
          .second = seen.second,
          .argmax = seen.largest > kLowest ? seen.argmax : 0};
}

/// Row r of log-probabilities.
template <class T, class Team>
GDSD_BOTH void log_probs_row(const Team& team, const LogProbs<T>& a, int64_t r) {
  const T* z = a.z + r * a.V;
  const float log_z = summarise_row(team, z, a.V).log_z;
  if (team.rank() != 0) return;
  a.log_z[r] = log_z;
  a.log_p[r] = to_float(z[a.target[r]]) - log_z;
}

/// Row r of their gradient.
template <class T, class Team>
GDSD_BOTH void log_probs_gradient_row(const Team& team, const LogProbsGradient<T>& a, int64_t r) {
  T* z = a.z + r * a.V;
  const float log_z = a.log_z[r], g = a.g[r];
  const int64_t target = a.target[r];
  for_each_pack<T>(team, a.V, [&](int64_t v, int64_t count) {
    Floats<T> x = load(z + v, count);
    for (int k = 0; k < kPack<T>; ++k)
      x.x[k] = ((v + k == target ? 1.0f : 0.0f) - std::exp(x.x[k] - log_z)) * g;
    store(z + v, x, count);
  });
}

}  // namespace gdsd::cuda
