// Attention on a GPU, by libtorch's kernels for packed sequences: flash attention in bfloat16 and
// float16 (Dao 2023, arXiv:2307.08691); in float32, and for heads wider than 256, memory-efficient
// attention (Rabe and Staats 2021, arXiv:2112.05682). Neither makes a matrix [L, L], and the host
// waits for nothing.
#pragma once

#include "gdsd/denoiser/fused_parts.h"

namespace gdsd {

/// As fused_attend. `lse` is a view of the kernel's own layout where there is one.
Attended gpu_attend(const AttendedBy& by);

/// As fused_attend_gradient, of what gpu_attend gave. In the deterministic order of libtorch's
/// kernels: equal runs have equal bits.
std::array<Tensor, 3> gpu_attend_gradient(const AttendedBy& by, const Attended& attended,
                                          const Tensor& d_out);

}  // namespace gdsd
