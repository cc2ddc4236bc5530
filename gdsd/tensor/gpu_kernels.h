// The kernels for GPUs (gdsd/cuda) as functions of tensors, and the one place that chooses between
// them and those for CPUs.
#pragma once

#include "gdsd/cuda/table.h"
#include "gdsd/tensor/cpu_kernels.h"
#include "gdsd/tensor/proposal.h"

namespace gdsd {

/// Each call starts its work on one stream and returns. Tensors are contiguous, on one device; T is
/// the type of the first, float32 or bfloat16. Their shapes are those of gdsd/cuda/table.h.
class GpuKernels {
 public:
  GpuKernels(const CudaTable<float>& float32, const CudaTable<Bfloat16>& bfloat16,
             CudaStream stream)
      : float32_(float32), bfloat16_(bfloat16), stream_(stream) {}

  /// On libtorch's current stream of x's device, which is a GPU.
  static GpuKernels for_tensor(const Tensor& x);

  void norm(const Tensor& x, const Tensor& w, double eps, const Tensor& y,
            const Tensor& inverse) const;
  /// `d_sum` and `d_w` may be undefined.
  void norm_gradient(const Tensor& x, const Tensor& w, const Tensor& inverse, const Tensor& d_y,
                     const Tensor& d_sum, const Tensor& d_x, const Tensor& d_w) const;
  /// x [n, heads h]; cos and sin [·, h] float32.
  void rotate(const Tensor& x, const Tensor& cos, const Tensor& sin, const Tensor& position,
              double sign, bool round) const;
  void swiglu(const Tensor& gate, const Tensor& up, const Tensor& y) const;
  void swiglu_gradient(const Tensor& gate, const Tensor& up, const Tensor& d_y,
                       const Tensor& d_gate, const Tensor& d_up) const;

  /// Whether propose() can leave out so many tokens.
  static bool can_ban(const std::vector<int64_t>& ids) {
    return ids.size() <= std::tuple_size_v<Banned>;
  }
  /// Rows of logits [R, V] by temperature, `banned` and `usable`; keys [R] int64, undefined at
  /// temperature 0.
  void propose(const Tensor& logits, const ProposalOptions& options, const Tensor& keys,
               const Proposal& to) const;
  void log_probs(const Tensor& logits, const Tensor& target, const Tensor& log_z,
                 const Tensor& log_p) const;
  /// In place.
  void log_probs_gradient(const Tensor& logits, const Tensor& log_z, const Tensor& target,
                          const Tensor& g) const;

 private:
  template <class F>
  void start(const char* what, const Tensor& x, F&& body) const;

  const CudaTable<float>& float32_;
  const CudaTable<Bfloat16>& bfloat16_;
  CudaStream stream_;
};

/// Calls cpu(KernelsOf<T>) or gpu(GpuKernels), as x's device asks; neither on meta. For tensors that
/// kernels_take().
template <class Cpu, class Gpu>
void with_kernels(const Tensor& x, Cpu&& cpu, Gpu&& gpu) {
  if (x.is_cuda())
    gpu(GpuKernels::for_tensor(x));
  else
    with_kernels(x, cpu);
}

}  // namespace gdsd
