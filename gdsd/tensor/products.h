// Products of a linear layer on the kernels for CPUs, or on libtorch's operations where those are
// faster (makes_products) or the tensors are elsewhere. Not known to autograd.
#pragma once

#include "gdsd/tensor/tensor.h"

namespace gdsd {

/// x Wᵀ of x [n, in] and W [out, in] → [n, out] in their type; with a base, [n, out] or a bias [out],
/// base + x Wᵀ, rounded once.
Tensor linear_forward(const Tensor& x, const Tensor& weight, const Tensor& base = {});
/// y [n, out] = x Wᵀ, over what was there.
void linear_forward_out(const Tensor& x, const Tensor& weight, Tensor y);
/// y += x Wᵀ in place.
void add_linear_forward(const Tensor& x, const Tensor& weight, const Tensor& y);

/// d W of d [n, out] and W [out, in]: what x gets, [n, in].
Tensor linear_input_gradient(const Tensor& d, const Tensor& weight);
/// d_x += d W in place.
void add_linear_input_gradient(const Tensor& d, const Tensor& weight, const Tensor& d_x);

/// dᵀ x of d [n, out] and x [n, in]: what W gets, [out, in]; float32 from our kernels, else in the type
/// of d.
Tensor linear_weight_gradient(const Tensor& d, const Tensor& x);

}  // namespace gdsd
