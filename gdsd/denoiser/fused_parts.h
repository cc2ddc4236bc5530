// The parts of a block on the kernels for CPUs or GPUs, as the tensors' device asks: functions of
// tensors of type T, float32 or bfloat16, each with its backward pass, none of them known to autograd.
// On meta they only make the tensors.
#pragma once

#include "gdsd/denoiser/layers.h"

namespace gdsd {

struct Normed {
  Tensor y, inverse;  // [n, D] T; [n] float32: 1/√(mean x² + ε)
};
Normed fused_norm(const Tensor& x, const Tensor& weight, double eps);

/// The gradient of x [n, D], from that of y and, added, that of x itself; d_weight [D] float32 is
/// added to where it is defined.
Tensor fused_norm_gradient(const Tensor& x, const Tensor& weight, const Tensor& inverse,
                           const Tensor& d_y, const Tensor& d_x, const Tensor& d_weight);

/// Turns x [n, H h] in place; back with sign −1.
void fused_rotate(const Tensor& x, const Rope& rope, double sign);

/// q [R, H h] with queries[b] rows for sequence b, k and v [N, H′ h] with keys[b].
struct AttendedBy {
  const Tensor &q, &k, &v;
  const std::vector<int64_t>&queries, &keys;
  int64_t h;
};
struct Attended {
  Tensor out, lse;  // [R, H h] T; [R, H] float32
};
Attended fused_attend(const AttendedBy& by);

/// → the gradients of q, k and v.
std::array<Tensor, 3> fused_attend_gradient(const AttendedBy& by, const Attended& attended,
                                            const Tensor& d_out);

/// silu(gate) ⊙ up, all [n, F].
Tensor fused_swiglu(const Tensor& gate, const Tensor& up);
/// → the gradients of gate and up.
std::array<Tensor, 2> fused_swiglu_gradient(const Tensor& gate, const Tensor& up,
                                            const Tensor& d_y);

}  // namespace gdsd
