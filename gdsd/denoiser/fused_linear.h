// x Wᵀ + b + s x Aᵀ Bᵀ in one type, with its gradient; not known to autograd.
#pragma once

#include "gdsd/denoiser/layers.h"

namespace gdsd {

/// A Linear in the type of products. With no gradient asked of it, frozen weights are not copied.
struct FusedLinear {
  FusedLinear(const Linear& linear, at::ScalarType type);

  /// base + y, where there is a base: [n, out]. The adapter's part goes first and the matrix's is
  /// added to it in float32. `low` is set to x Aᵀ [n, r] if there is an adapter.
  Tensor apply(const Tensor& x, const Tensor& base, Tensor& low) const;

  /// Adds what x [n, in] gets of d_y [n, out] to d_x, which may be undefined.
  void add_input_gradient(const Tensor& d_y, Tensor& d_x) const;

  /// The gradients of what `wanted` has defined, in the types of its tensors.
  Linear parameter_gradients(const Tensor& x, const Tensor& low, const Tensor& d_y,
                             const Linear& wanted) const;

  Tensor weight, bias, A, B;  // B is scaled by s
  double scale;
};

}  // namespace gdsd
