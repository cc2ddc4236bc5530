#include "gdsd/tensor/cpu_kernels.h"

#include <atomic>

#include "gdsd/base/fields.h"
#include "gdsd/cuda/table.h"

namespace gdsd {

namespace {

std::atomic<KernelChoice> in_use{KernelChoice::kAuto};

InstructionSet instruction_set(KernelChoice choice) {
  switch (choice) {
    case KernelChoice::kAvx512: return InstructionSet::kAvx512;
    case KernelChoice::kAvx2: return InstructionSet::kAvx2;
    default: return InstructionSet::kPortable;
  }
}

}  // namespace

KernelChoice settle_kernels(KernelChoice choice) {
  const InstructionSet best = best_instruction_set();
  if (choice == KernelChoice::kOff) return choice;
  if (choice == KernelChoice::kAuto)
    return best == InstructionSet::kAvx512 ? KernelChoice::kAvx512
           : best == InstructionSet::kAvx2 ? KernelChoice::kAvx2
                                           : KernelChoice::kPortable;
  check(instruction_set(choice) <= best, "[compute.kernels] got ", to_text(choice),
        ", but the best that this CPU has is ", to_text(best), ".");
  return choice;
}

void use_kernels(KernelChoice choice) { in_use = settle_kernels(choice); }

KernelChoice kernels_in_use() {
  if (in_use == KernelChoice::kAuto) use_kernels(KernelChoice::kAuto);
  return in_use;
}

InstructionSet kernel_instruction_set() { return instruction_set(kernels_in_use()); }

bool kernels_take(const Tensor& x) {
  const bool device = x.is_cpu() || x.is_meta() || (x.is_cuda() && cuda_table<float>());
  return kernels_in_use() != KernelChoice::kOff && device &&
         (x.scalar_type() == at::kFloat || x.scalar_type() == at::kBFloat16);
}

}  // namespace gdsd
