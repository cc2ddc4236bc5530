// x Wᵀ + b + s x Aᵀ Bᵀ for the matrices that have one input, in one type, with the gradient; not
// known to autograd.
#pragma once

#include "gdsd/denoiser/block.h"

namespace gdsd {

/// Matrices of a block with one input x [n, in]. The first factors of their adapters are one matrix:
/// products of a rank's few columns cost more for being made one by one.
class FusedLinears {
 public:
  /// Weights of other types are copied.
  FusedLinears(const Block& block, const std::vector<Role>& roles, at::ScalarType type);

  const std::vector<Role>& roles() const { return roles_; }

  /// x Aᵀ of all adapters [n, Σ r]; undefined if there is none.
  Tensor low(const Tensor& x) const;

  /// base + y of matrix i, where there is a base: [n, out]. The adapter's part is added to the rest,
  /// which has been rounded; of an augmented matrix both are one product, for which x and its columns
  /// of `low` are laid side by side.
  Tensor apply(size_t i, const Tensor& x, const Tensor& low, const Tensor& base = {}) const;

  /// From d_y[i] [n, out] of every y: puts the gradients of those parameters that `wanted` has into
  /// `grads`, in their types, and, where d_x is given, adds what x gets to it.
  void backward(const Tensor& x, const Tensor& low, const std::vector<Tensor>& d_y,
                const Block& wanted, Block& grads, Tensor* d_x) const;

 private:
  struct One {
    Tensor weight, bias, B;  // B is scaled by s
    Tensor both;             // [weight | B], undefined where they are multiplied apart
    double scale = 1;
    int64_t begin = 0, rank = 0;  // its columns of low
  };
  static Tensor part(const One& one, const Tensor& low) {
    return low.slice(1, one.begin, one.begin + one.rank);
  }
  Tensor gradient_of_low(const std::vector<Tensor>& d_y) const;

  std::vector<Role> roles_;
  std::vector<One> all_;
  Tensor A_;  // [Σ r, in]
};

}  // namespace gdsd
