#include "gdsd/tensor/device.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <dlfcn.h>
#include <malloc.h>
#include <sched.h>

#include <filesystem>
#include <thread>

#include "gdsd/base/fields.h"
#include "gdsd/tensor/cpu_kernels.h"

namespace gdsd {

namespace {

/// Below this width, on a CPU, `auto` leaves products in float32: such models are trained whole, in
/// minutes, and their results have been looked at in float32. Threads take a share of the batch each:
/// within operations they would wait for each other longer than one takes (docs/kernels.md).
constexpr int64_t kNarrow = 256;

/// libtorch asks for its CUDA half once, at the first operation, and finds it only if it is loaded
/// by then. Machines without an NVIDIA driver are spared its gigabyte.
bool load_cuda() {
  if (!std::filesystem::exists("/dev/nvidiactl")) return false;
  return dlopen("libtorch_cuda.so", RTLD_NOW | RTLD_GLOBAL) != nullptr && at::hasCUDA();
}

bool cpu_multiplies_bfloat16() {
#if defined(__x86_64__)
  return __builtin_cpu_supports("avx512bf16");
#else
  return false;
#endif
}

/// Tensors of megabytes come and go; glibc would return each to the kernel and fault it in again.
void keep_freed_memory() {
#if defined(__GLIBC__)
  mallopt(M_MMAP_THRESHOLD, 1 << 30);
  mallopt(M_TRIM_THRESHOLD, 1 << 30);
#endif
}

}  // namespace

int64_t count_cores() {
  cpu_set_t mine;
  if (sched_getaffinity(0, sizeof mine, &mine) == 0) return CPU_COUNT(&mine);
  return std::thread::hardware_concurrency();  // of a machine with more cores than the set holds
}

bool uses_gpu(const ComputeOptions& options) {
  return options.device != DeviceChoice::kCpu && load_cuda();
}

void ComputeOptions::validate() const { check_count(threads, "threads", 0, 1024); }

Compute open_compute(const ComputeOptions& options, int64_t D) {
  Compute compute{
      .activation_checkpointing = options.activation_checkpointing == Checkpointing::kOn,
      .reuse = options.reuse,
      .graphs = options.graphs};
  use_kernels(options.kernels);
  keep_freed_memory();
  const bool cuda = uses_gpu(options);
  check(cuda || options.device != DeviceChoice::kCuda,
        "[compute.device] cuda was asked for, but no GPU with its libraries was found. Run `make "
        "setup` on a machine with a GPU and nvcc, or say compute.device=cpu.");
  if (cuda) compute.device = at::kCUDA;
  compute.augment = cuda && kernels_in_use() != KernelChoice::kOff;

  const bool fast_bfloat16 = cuda || (cpu_multiplies_bfloat16() && D >= kNarrow);
  const bool bfloat16 = options.precision == Precision::kBfloat16 ||
                        (options.precision == Precision::kAuto && fast_bfloat16);
  compute.dtype = bfloat16 ? at::kBFloat16 : at::kFloat;

  const int64_t threads = options.threads > 0 ? options.threads : count_cores();
  compute.workers = !cuda && D < kNarrow ? threads : 1;
  at::set_num_threads(static_cast<int>(compute.workers > 1 ? 1 : threads));

  compute.settled = {.device = cuda ? DeviceChoice::kCuda : DeviceChoice::kCpu,
                     .precision = bfloat16 ? Precision::kBfloat16 : Precision::kFloat32,
                     .threads = threads,
                     .activation_checkpointing = compute.activation_checkpointing
                                                     ? Checkpointing::kOn
                                                     : Checkpointing::kOff,
                     // On a GPU the CPU's kind decides nothing: a run may go on beside another.
                     .kernels = compute.augment ? KernelChoice::kAuto : kernels_in_use(),
                     .reuse = options.reuse,
                     .graphs = options.graphs};
  return compute;
}

}  // namespace gdsd
