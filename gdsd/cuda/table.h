// Kernels for GPUs, the counterpart of gdsd/kernel: what libtorch does in many passes over memory. T
// is float or Bfloat16; sums and softmax are float32 in both.
//
// They know nothing of tensors: pointers are to device memory, rows lie one after another. A call
// starts its work on a stream and returns: no kernel waits, allocates or adds up in an order that
// may vary, so that all can be recorded in a CUDA graph and equal calls give equal bits.
#pragma once

#include <array>
#include <cstdint>

#include "gdsd/kernel/bfloat16.h"

namespace gdsd {

using CudaStream = void*;         // a cudaStream_t
using CudaFailure = const char*;  // null, or what the driver says of a call it did not take

/// n rows of D numbers: y = T(x / √(mean x² + ε)) w, inverse [n]: 1 / √(…).
template <class T>
struct Norm {
  const T *x = nullptr, *w = nullptr;  // [n, D], [D]
  int64_t n = 0, D = 0;
  float eps = 0;
  T* y = nullptr;            // [n, D]
  float* inverse = nullptr;  // [n]
};

/// d_x from d_y of y and, where it is not null, d_sum of x itself. d_w [D] is added to where it is
/// not null; it wants `scratch`.
template <class T>
struct NormGradient {
  const T *x = nullptr, *w = nullptr;
  const float* inverse = nullptr;
  const T *d_y = nullptr, *d_sum = nullptr;
  int64_t n = 0, D = 0;
  T* d_x = nullptr;
  float *d_w = nullptr, *scratch = nullptr;  // norm_scratch(n, D) floats
};

/// d_w is summed over this many runs of rows, then over the runs.
constexpr int64_t norm_runs(int64_t n) { return n < 128 ? n : 128; }
constexpr int64_t norm_scratch(int64_t n, int64_t D) { return norm_runs(n) * D; }

/// Turns x [n, heads, h] in place by the angles that cos and sin [·, h] have at position[i]; `sign`
/// −1 turns back. `round`: every product is rounded to T, as by Dream.
template <class T>
struct Rotation {
  T* x = nullptr;
  const float *cos = nullptr, *sin = nullptr;
  const int64_t* position = nullptr;  // [n]
  int64_t n = 0, heads = 0, h = 0;
  float sign = 1;
  bool round = false;
};

/// y = T(silu(gate)) up: n numbers each.
template <class T>
struct Swiglu {
  const T *gate = nullptr, *up = nullptr;
  int64_t n = 0;
  T* y = nullptr;
};
template <class T>
struct SwigluGradient {
  const T *gate = nullptr, *up = nullptr, *d_y = nullptr;
  int64_t n = 0;
  T *d_gate = nullptr, *d_up = nullptr;
};

/// Tokens that are never proposed; −1 for none.
using Banned = std::array<int32_t, 4>;
inline constexpr Banned kNoneBanned{-1, -1, -1, -1};

/// A token for each row of logits z [rows, V]: at temperature 0 the likeliest, else the Gumbel-max
/// draw of gdsd/tensor/proposal.h with the keys' noise; of all that is below `usable` and not banned.
/// log_p of the token, entropy and margin are those of softmax(z), with nothing banned.
template <class T>
struct Proposed {
  const T* z = nullptr;
  int64_t rows = 0, V = 0;
  int64_t usable = -1;  // −1 for all
  Banned banned = kNoneBanned;
  double temperature = 0;
  const int64_t* key = nullptr;                                   // [rows], bit for bit a Key's
  int64_t* token = nullptr;                                       // [rows]
  float *log_p = nullptr, *entropy = nullptr, *margin = nullptr;  // [rows]
};

/// Of logits z [rows, V]: log Σ exp z, and log_p of `target` [rows].
template <class T>
struct LogProbs {
  const T* z = nullptr;
  int64_t rows = 0, V = 0;
  const int64_t* target = nullptr;
  float *log_z = nullptr, *log_p = nullptr;  // [rows]
};
/// In place: (1{v = target} − exp(z − log_z)) g.
template <class T>
struct LogProbsGradient {
  T* z = nullptr;
  int64_t rows = 0, V = 0;
  const float* log_z = nullptr;
  const int64_t* target = nullptr;
  const float* g = nullptr;  // [rows]
};

template <class T>
struct CudaTable {
  CudaFailure (*norm)(const Norm<T>&, CudaStream);
  CudaFailure (*norm_gradient)(const NormGradient<T>&, CudaStream);
  CudaFailure (*rotate)(const Rotation<T>&, CudaStream);
  CudaFailure (*swiglu)(const Swiglu<T>&, CudaStream);
  CudaFailure (*swiglu_gradient)(const SwigluGradient<T>&, CudaStream);
  CudaFailure (*propose)(const Proposed<T>&, CudaStream);
  CudaFailure (*log_probs)(const LogProbs<T>&, CudaStream);
  CudaFailure (*log_probs_gradient)(const LogProbsGradient<T>&, CudaStream);
};

/// The GPU's kernels; null in a build without nvcc. T is float or Bfloat16.
template <class T>
const CudaTable<T>* cuda_table();

/// The architectures that they were compiled for, as CMake names them; "" without nvcc.
const char* cuda_architectures();

}  // namespace gdsd
