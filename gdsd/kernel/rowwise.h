// What a transformer block does to a row of numbers by itself, each in one pass over memory.
#pragma once

#include "gdsd/kernel/vector.h"

namespace gdsd::GDSD_ISA {

/// x as it is after rounding to T.
template <class T>
GDSD_INLINE Floats rounded(Floats x) {
  if constexpr (sizeof(T) == 4) return x;
  return reinterpret_cast<Floats>(round_upper(x) & all(static_cast<int32_t>(0xffff0000)));
}

template <class T>
void rms_norm(const T* x, const T* w, int64_t n, int64_t D, float eps, T* y, float* inverse) {
  for (int64_t i = 0; i < n; ++i, x += D, y += D) {
    Floats squares = all(0.0f);
    for_each_vector(D, [&](int64_t d, auto get, auto) { squares += get(x + d) * get(x + d); });
    const float scale = 1 / __builtin_sqrtf(sum(squares) / static_cast<float>(D) + eps);
    inverse[i] = scale;
    for_each_vector(D, [&](int64_t d, auto get, auto put) {
      put(y + d, rounded<T>(get(x + d) * scale) * get(w + d));
    });
  }
}

// With u = x/rms: dx = (w dy − u mean(w dy u)) / rms, dw = Σ dy u.
template <class T>
void rms_norm_gradient(const T* x, const T* w, const float* inverse, const T* d_y, const T* d_sum,
                       int64_t n, int64_t D, T* d_x, float* d_w) {
  for (int64_t i = 0; i < n; ++i) {
    const int64_t row = i * D;
    const float scale = inverse[i];
    Floats along = all(0.0f);
    for_each_vector(D, [&](int64_t d, auto get, auto) {
      along += get(w + d) * get(d_y + row + d) * get(x + row + d);
    });
    const float mean = sum(along) * scale * scale / static_cast<float>(D);
    for_each_vector(D, [&](int64_t d, auto get, auto put) {
      Floats grad = (get(w + d) * get(d_y + row + d) - get(x + row + d) * mean) * scale;
      if (d_sum) grad += get(d_sum + row + d);
      put(d_x + row + d, grad);
    });
    if (d_w)
      for_each_vector(D, [&](int64_t d, auto get, auto put) {
        put(d_w + d, get(d_w + d) + get(d_y + row + d) * rounded<T>(get(x + row + d) * scale));
      });
  }
}

template <class T>
void rotate(T* x, int64_t row, const float* cos, const float* sin, const int64_t* position,
            int64_t n, int64_t heads, int64_t h, float sign, bool round) {
  const int64_t half = h / 2;
  auto narrow = [round](Floats v) { return round ? rounded<T>(v) : v; };
  for (int64_t i = 0; i < n; ++i)
    for (int64_t head = 0; head < heads; ++head) {
      T* first = x + i * row + head * h;
      for_each_vector(half, [&](int64_t d, auto get, auto put) {
        const Floats c = get(cos + position[i] * h + d);
        const Floats s = get(sin + position[i] * h + d) * sign;
        const Floats a = get(first + d), b = get(first + half + d);
        put(first + d, narrow(a * c) - narrow(b * s));
        put(first + half + d, narrow(b * c) + narrow(a * s));
      });
    }
}

GDSD_INLINE Floats sigmoid(Floats x) { return 1.0f / (1.0f + exp2(max(x, all(-80.0f)) * -kLog2E)); }

template <class T>
void swiglu(const T* gate, const T* up, int64_t row, int64_t n, int64_t F, T* y) {
  for (int64_t i = 0; i < n; ++i)
    for_each_vector(F, [&](int64_t f, auto get, auto put) {
      const Floats g = get(gate + i * row + f);
      put(y + i * F + f, rounded<T>(g * sigmoid(g)) * get(up + i * row + f));
    });
}

template <class T>
void swiglu_gradient(const T* gate, const T* up, int64_t row, const T* d_y, int64_t n, int64_t F,
                     T* d_gate, T* d_up, int64_t d_row) {
  for (int64_t i = 0; i < n; ++i)
    for_each_vector(F, [&](int64_t f, auto get, auto put) {
      const Floats g = get(gate + i * row + f), s = sigmoid(g), d = get(d_y + i * F + f);
      put(d_gate + i * d_row + f, d * get(up + i * row + f) * s * (1.0f + g * (1.0f - s)));
      put(d_up + i * d_row + f, d * g * s);
    });
}

}  // namespace gdsd::GDSD_ISA
