// Which kernels this process uses, and how tensors are handed to those for CPUs.
#pragma once

#include <algorithm>
#include <memory>

#include "gdsd/kernel/kernels.h"
#include "gdsd/tensor/kernel_choice.h"
#include "gdsd/tensor/tensor.h"

namespace gdsd {

/// Settles `auto`; throws Error for instructions that this CPU does not have.
KernelChoice settle_kernels(KernelChoice choice);

/// From now on, in this process: libtorch's operations where `off`, on a GPU too. For the whole
/// process, like libtorch's number of threads.
void use_kernels(KernelChoice choice);
KernelChoice kernels_in_use();
InstructionSet kernel_instruction_set();

/// Whether kernels work on such a tensor: float32 or bfloat16 on the CPU, on a GPU in a build that has
/// kernels for it (gpu_kernels.h), or, to be planned, on meta.
bool kernels_take(const Tensor& x);

/// The tile of logits for such states: on CPUs one that a shared cache holds, on a GPU one of so many
/// rows that their products are not bound by reading the head, 530 of LLaDA's.
inline int64_t fitting_tile(const Tensor& hidden, int64_t tile) {
  if (!kernels_take(hidden)) return tile;
  return hidden.is_cuda() ? std::max(tile, int64_t{1} << 26) : std::min(tile, int64_t{1} << 22);
}

template <class T>
struct KernelsOf {
  const KernelTable<T>& table;

  T* of(const Tensor& x) const { return static_cast<T*>(x.mutable_data_ptr()); }
};

/// Calls body(KernelsOf<T>) for the type of x; does nothing on meta.
template <class F>
void with_kernels(const Tensor& x, F&& body) {
  if (x.is_meta()) return;
  const InstructionSet set = kernel_instruction_set();
  if (x.scalar_type() == at::kBFloat16)
    body(KernelsOf<Bfloat16>{kernel_table<Bfloat16>(set)});
  else
    body(KernelsOf<float>{kernel_table<float>(set)});
}

/// Memory for one thread's use of a kernel, which is not initialised.
inline std::unique_ptr<float[]> scratch(int64_t floats) {
  return std::unique_ptr<float[]>(new float[floats]);
}

}  // namespace gdsd
