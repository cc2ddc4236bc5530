// Kernels for CPUs: what libtorch does in many passes over memory, or at a fraction of the rate of its
// matrix products. T is float or Bfloat16; sums and softmax are float32 in both.
//
// They know nothing of tensors and threads: callers cut the work and give the memory.
#pragma once

#include <array>
#include <cstdint>

#include "gdsd/kernel/bfloat16.h"

namespace gdsd {

/// One sequence, and the query heads that share one head of keys and values. Rows of a matrix lie
/// `…_row` numbers apart; head i begins i · h numbers after the first.
template <class T>
struct Attention {
  const T *q = nullptr, *k = nullptr, *v = nullptr;  // [queries, group, h], [keys, h], [keys, h]
  int64_t q_row = 0, k_row = 0, v_row = 0;
  int64_t queries = 0, keys = 0, h = 0, group = 1;
  float scale = 1;
  T* out = nullptr;  // [queries, group, h]: softmax(scale q kᵀ) v
  int64_t out_row = 0;
  float* lse = nullptr;  // [queries, group]: log Σ exp(scale q kᵀ)
  int64_t lse_row = 0;
};

/// Its backward pass: `out` and `lse` as the forward pass left them.
template <class T>
struct AttentionGradient : Attention<T> {
  const T* d_out = nullptr;                          // rows d_out_row apart
  T *d_q = nullptr, *d_k = nullptr, *d_v = nullptr;  // rows d_…_row apart
  int64_t d_out_row = 0, d_q_row = 0, d_k_row = 0, d_v_row = 0;
};

/// What a sampler needs to know of one row of logits.
struct RowSummary {
  float largest = 0, log_z = 0;  // max z, log Σ exp z
  float entropy = 0;             // nats
  float second = 0;              // of the second token: equal to `largest` on ties
  int64_t argmax = 0;            // the lowest id on ties
};

/// The functions of one instruction set for one T.
template <class T>
struct KernelTable {
  /// Floats of scratch memory that attention and its gradient want.
  int64_t (*attention_scratch)(const Attention<T>&);
  void (*attention)(const Attention<T>&, float* scratch);
  int64_t (*attention_gradient_scratch)(const Attention<T>&);
  void (*attention_gradient)(const AttentionGradient<T>&, float* scratch);

  /// Rows of D numbers, one after another. y = T(x / √(mean x² + ε)) w; inverse [n]: 1 / √(…), for
  /// the gradient.
  void (*rms_norm)(const T* x, const T* w, int64_t n, int64_t D, float eps, T* y, float* inverse);
  /// d_x from d_y [n, D] of y, and from d_sum [n, D] of x itself, may be null; d_w [D] is added
  /// to, may be null.
  void (*rms_norm_gradient)(const T* x, const T* w, const float* inverse, const T* d_y,
                            const T* d_sum, int64_t n, int64_t D, T* d_x, float* d_w);

  /// Turns x [n, heads, h], rows `row` apart, in place, by the angles that cos and sin [·, h] have at
  /// position[i]; `sign` −1 turns back. `round`: every product is rounded to T, as by Dream.
  void (*rotate)(T* x, int64_t row, const float* cos, const float* sin, const int64_t* position,
                 int64_t n, int64_t heads, int64_t h, float sign, bool round);

  /// silu(gate) ⊙ up of n rows of F numbers.
  void (*swiglu)(const T* gate, const T* up, int64_t row, int64_t n, int64_t F, T* y);
  void (*swiglu_gradient)(const T* gate, const T* up, int64_t row, const T* d_y, int64_t n,
                          int64_t F, T* d_gate, T* d_up, int64_t d_row);

  /// Products. A weight is packed in panels of `panel` columns, packed_size(k, panel) floats each:
  /// Wᵀ of W [n, k], or W [k, n] as it lies; rows are `row` numbers apart.
  int64_t panel;
  int64_t (*packed_size)(int64_t k, int64_t n);
  void (*pack_transposed)(const T* w, int64_t row, int64_t n, int64_t k, float* packed);
  void (*pack)(const T* w, int64_t row, int64_t k, int64_t n, float* packed);
  /// y [n, out] = base + x B of x [n, k] and a packed B [k, out]; base may be y, or null. Each number
  /// is one float32 sum in the order of k, which begins with base and is rounded once.
  int64_t (*linear_scratch)(int64_t k);  // floats
  void (*linear)(const T* x, int64_t x_row, int64_t n, int64_t k, const float* packed, int64_t out,
                 const T* base, int64_t base_row, T* y, int64_t y_row, float* scratch);
  /// d_w [out, in] = dᵀ x of d [n, out] and x [n, in].
  int64_t (*linear_gradient_scratch)(int64_t out);  // floats
  void (*linear_gradient)(const T* d, int64_t d_row, const T* x, int64_t x_row, int64_t n,
                          int64_t out, int64_t in, float* d_w, int64_t d_w_row, float* scratch);

  /// One row of logits z [V].
  RowSummary (*summarise)(const T* z, int64_t V, bool entropy);
  /// The ids that can be the argmax of z/T + Gumbel noise, of the noise that uniform_rest() has in the
  /// stream k0, k1 (Philox's key): few, ascending → how many. It is reckoned in float32, with a
  /// margin for its errors. `scores`: V + 63 floats of scratch.
  int64_t (*gumbel_candidates)(const T* z, int64_t V, float inverse_temperature, uint32_t k0,
                               uint32_t k1, float* scores, int32_t* candidates);
  /// In place: (1{v = target} − exp(z − log_z)) g.
  void (*log_prob_gradient)(T* z, int64_t V, float log_z, int64_t target, float g);
};

enum class InstructionSet { kPortable, kAvx2, kAvx512 };
constexpr auto enum_names(InstructionSet) { return std::array{"portable", "avx2", "avx512"}; }

/// The best that this CPU has: avx512 needs AVX512-F, -BW, -DQ, -VL and -BF16, avx2 FMA.
InstructionSet best_instruction_set();

/// Whether products of this set are made in preference to libtorch's: not where the CPU has wider
/// instructions, AVX-512 that avx2 does not use, or AMX for bfloat16.
bool makes_products(InstructionSet set, bool bfloat16);

/// Those of an instruction set, which the CPU must have.
template <class T>
const KernelTable<T>& kernel_table(InstructionSet set);

}  // namespace gdsd
