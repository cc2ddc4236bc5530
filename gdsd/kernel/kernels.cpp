#include "gdsd/kernel/kernels.h"

namespace gdsd {

// Each in a file of its own, isa_….cpp.
namespace portable {
template <class T>
const KernelTable<T>& table();
}
namespace avx2 {
template <class T>
const KernelTable<T>& table();
}
namespace avx512 {
template <class T>
const KernelTable<T>& table();
}

InstructionSet best_instruction_set() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
      __builtin_cpu_supports("avx512bf16"))
    return InstructionSet::kAvx512;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return InstructionSet::kAvx2;
#endif
  return InstructionSet::kPortable;
}

bool makes_products([[maybe_unused]] InstructionSet set, [[maybe_unused]] bool bfloat16) {
#if defined(__x86_64__)
  if (set == InstructionSet::kAvx512) return !bfloat16 || !__builtin_cpu_supports("amx-bf16");
  if (set == InstructionSet::kAvx2) return !__builtin_cpu_supports("avx512f");
#endif
  return false;
}

template <class T>
const KernelTable<T>& kernel_table(InstructionSet set) {
#if defined(__x86_64__)
  if (set == InstructionSet::kAvx512) return avx512::table<T>();
  if (set == InstructionSet::kAvx2) return avx2::table<T>();
#endif
  return portable::table<T>();
}

template const KernelTable<float>& kernel_table(InstructionSet);
template const KernelTable<Bfloat16>& kernel_table(InstructionSet);

}  // namespace gdsd
