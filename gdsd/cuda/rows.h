// What a transformer block does to a row of numbers by itself, for a team: the arithmetic of
// gdsd/kernel/rowwise.h. T is float or Bfloat16; sums are float32.
#pragma once

#include <cmath>

#include "gdsd/cuda/pack.h"
#include "gdsd/cuda/table.h"

namespace gdsd::cuda {

/// Row i of the forward pass.
template <class T, class Team>
GDSD_BOTH void norm_row(const Team& team, const Norm<T>& a, int64_t i) {
  const int64_t row = i * a.D;
  float squares = 0;
  for_each_pack<T>(team, a.D, [&](int64_t d, int64_t count) {
    const Floats<T> x = load(a.x + row + d, count);
    for (int k = 0; k < kPack<T>; ++k) squares += x.x[k] * x.x[k];
  });
  const float scale = 1 / std::sqrt(sum(team, squares) / static_cast<float>(a.D) + a.eps);
  if (team.rank() == 0) a.inverse[i] = scale;
  for_each_pack<T>(team, a.D, [&](int64_t d, int64_t count) {
    Floats<T> y = load(a.x + row + d, count);
    const Floats<T> w = load(a.w + d, count);
    for (int k = 0; k < kPack<T>; ++k) y.x[k] = rounded<T>(y.x[k] * scale) * w.x[k];
    store(a.y + row + d, y, count);
  });
}

/// Row i of d_x. With u = x/rms: d_x = (w d_y − u mean(w d_y u)) / rms.
template <class T, class Team>
GDSD_BOTH void norm_gradient_row(const Team& team, const NormGradient<T>& a, int64_t i) {
  const int64_t row = i * a.D;
  const float scale = a.inverse[i];
  float along = 0;
  for_each_pack<T>(team, a.D, [&](int64_t d, int64_t count) {
    const Floats<T> x = load(a.x + row + d, count), w = load(a.w + d, count),
                    g = load(a.d_y + row + d, count);
    for (int k = 0; k < kPack<T>; ++k) along += w.x[k] * g.x[k] * x.x[k];
  });
  const float mean = sum(team, along) * scale * scale / static_cast<float>(a.D);
  for_each_pack<T>(team, a.D, [&](int64_t d, int64_t count) {
    const Floats<T> x = load(a.x + row + d, count), w = load(a.w + d, count);
    Floats<T> g = load(a.d_y + row + d, count);
    for (int k = 0; k < kPack<T>; ++k) g.x[k] = (w.x[k] * g.x[k] - x.x[k] * mean) * scale;
    if (a.d_sum) {
      const Floats<T> more = load(a.d_sum + row + d, count);
      for (int k = 0; k < kPack<T>; ++k) g.x[k] += more.x[k];
    }
    store(a.d_x + row + d, g, count);
  });
}

/// Σ d_y T(u) over the rows of one run, for the columns of the pack that begins at d: to scratch.
template <class T>
GDSD_BOTH void norm_weight_run(const NormGradient<T>& a, int64_t run, int64_t d) {
  const int64_t runs = norm_runs(a.n), end = a.n * (run + 1) / runs, count = a.D - d;
  Floats<T> total{};
  for (int64_t i = a.n * run / runs; i < end; ++i) {
    const Floats<T> x = load(a.x + i * a.D + d, count), g = load(a.d_y + i * a.D + d, count);
    for (int k = 0; k < kPack<T>; ++k) total.x[k] += g.x[k] * rounded<T>(x.x[k] * a.inverse[i]);
  }
  for (int k = 0; k < kPack<T>; ++k)
    if (k < count) a.scratch[run * a.D + d + k] = total.x[k];
}

/// Column d of d_w: plus the runs' sums.
template <class T>
GDSD_BOTH void norm_weight_sum(const NormGradient<T>& a, int64_t d) {
  float total = 0;
  for (int64_t run = 0; run < norm_runs(a.n); ++run) total += a.scratch[run * a.D + d];
  a.d_w[d] += total;
}

/// Row i: its heads, whose first half is turned against the second.
template <class T, class Team>
GDSD_BOTH void rotate_row(const Team& team, const Rotation<T>& a, int64_t i) {
  const int64_t half = a.h / 2, packs = packs_of<T>(half);
  const float *cos = a.cos + a.position[i] * a.h, *sin = a.sin + a.position[i] * a.h;
  auto narrow = [&](float v) { return a.round ? rounded<T>(v) : v; };
  for (int64_t p = team.rank(); p < a.heads * packs; p += team.size()) {
    const int64_t d = p % packs * kPack<T>, count = half - d;
    T* first = a.x + (i * a.heads + p / packs) * a.h + d;
    Floats<T> x = load(first, count), y = load(first + half, count);
    for (int k = 0; k < kPack<T>; ++k) {
      if (k >= count) break;
      const float c = cos[d + k], s = sin[d + k] * a.sign, before = x.x[k];
      x.x[k] = narrow(before * c) - narrow(y.x[k] * s);
      y.x[k] = narrow(y.x[k] * c) + narrow(before * s);
    }
    store(first, x, count);
    store(first + half, y, count);
  }
}

GDSD_BOTH float sigmoid(float x) { return 1 / (1 + std::exp(-x)); }

template <class T, class Team>
GDSD_BOTH void swiglu_numbers(const Team& team, const Swiglu<T>& a) {
  for_each_pack<T>(team, a.n, [&](int64_t at, int64_t count) {
    Floats<T> g = load(a.gate + at, count);
    const Floats<T> u = load(a.up + at, count);
    for (int k = 0; k < kPack<T>; ++k) g.x[k] = rounded<T>(g.x[k] * sigmoid(g.x[k])) * u.x[k];
    store(a.y + at, g, count);
  });
}

template <class T, class Team>
GDSD_BOTH void swiglu_gradient_numbers(const Team& team, const SwigluGradient<T>& a) {
  for_each_pack<T>(team, a.n, [&](int64_t at, int64_t count) {
    Floats<T> g = load(a.gate + at, count), u = load(a.up + at, count);
    const Floats<T> d = load(a.d_y + at, count);
    for (int k = 0; k < kPack<T>; ++k) {
      const float x = g.x[k], s = sigmoid(x);
      g.x[k] = d.x[k] * u.x[k] * s * (1 + x * (1 - s));
      u.x[k] = d.x[k] * x * s;
    }
    store(a.d_gate + at, g, count);
    store(a.d_up + at, u, count);
  });
}

}  // namespace gdsd::cuda
