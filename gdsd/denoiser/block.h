// One block of the transformer: attention, then SwiGLU, each behind a norm and beside the residual
// stream.
#pragma once

#include "gdsd/denoiser/architecture.h"
#include "gdsd/denoiser/key_values.h"
#include "gdsd/denoiser/layers.h"

namespace gdsd {

struct Block {
  Tensor attention_norm, mlp_norm;  // [D]
  std::array<Linear, kRoles.size()> matrices;

  const Linear& operator[](Role role) const { return matrices[static_cast<size_t>(role)]; }

  /// The places of all tensors, in a fixed order; of some there may be none.
  std::vector<Tensor*> places();
  /// Those where there is one.
  std::vector<Tensor*> tensors();
};

/// A stream that has equal rows: row i is s[of[i]]. Before attention their work is done once.
struct Repeats {
  Tensor s, of;  // [U, D]; [N] int64. Undefined where nothing is known of the rows.
};

/// Where a block leaves keys and values, and finds those of tokens that are not in its input.
struct Keeping {
  KeyValues::Layer* layer = nullptr;              // null: nothing is kept
  const Rows* window = nullptr;                   // which tokens the input has; null: all
  const std::vector<int64_t>* lengths = nullptr;  // [B] of all tokens

  /// Puts k and v of the input's tokens among the kept ones, and makes them those of all tokens.
  void apply(Tensor& k, Tensor& v) const;
};

/// What is the same for every block of one call.
struct Pass {
  const Architecture& architecture;
  const std::vector<int64_t>& lengths;  // [B] of the input
  Rope rope;
  Repeats repeats = {};  // of the first block's input, where no gradient is asked for
  Keeping keeping = {};  // the same for this block
};

/// s [N, D] → [N, D], or [R, D] when only `rows` are asked for: then queries, projections and MLP
/// are made for these alone, since nothing after attention mixes tokens. Takes our kernels
/// where they are in use (cpu_kernels.h), else plain_block.
Tensor run_block(const Block& block, const Pass& pass, const Tensor& s, const Rows* rows);

/// In libtorch's operations.
Tensor plain_block(const Block& block, const Pass& pass, Tensor s, const Rows* rows);

/// With our kernels, and a backward pass of its own that keeps, for each token, s, q, k, v, the attended
/// values, the stream between, gate and up: norms and SwiGLU are computed again. An adapter's products
/// are made in s's type. Equal to plain_block to rounding (E1).
Tensor fused_block(const Block& block, const Pass& pass, const Tensor& s, const Rows* rows);

/// rms_norm with the kernels where they are in use. For a state that leaves the blocks.
Tensor final_rms_norm(const Tensor& s, const Tensor& weight, double eps);

}  // namespace gdsd
