// Where tensors live and in which precision they are multiplied.
#pragma once

#include <array>
#include <cstdint>

#include "gdsd/base/fields.h"
#include "gdsd/tensor/kernel_choice.h"
#include "gdsd/tensor/tensor.h"

namespace gdsd {

enum class DeviceChoice { kAuto, kCpu, kCuda };
constexpr auto enum_names(DeviceChoice) { return std::array{"auto", "cpu", "cuda"}; }

enum class Precision { kAuto, kFloat32, kBfloat16 };
constexpr auto enum_names(Precision) { return std::array{"auto", "float32", "bfloat16"}; }

/// Whether a layer's activations are computed again in the backward pass.
enum class Checkpointing { kAuto, kOn, kOff };
constexpr auto enum_names(Checkpointing) { return std::array{"auto", "on", "off"}; }

/// As of every enum, and "true" and "false" for on and off.
inline bool from_text(std::string_view text, Checkpointing& value) {
  return from_text<Checkpointing>(text == "true" ? "on" : text == "false" ? "off" : text, value);
}

/// How a program computes: one section of every config.
struct ComputeOptions {
  DeviceChoice device = DeviceChoice::kAuto;
  Precision precision = Precision::kAuto;
  int64_t threads = 0;
  Checkpointing activation_checkpointing = Checkpointing::kAuto;
  KernelChoice kernels = KernelChoice::kAuto;
  bool reuse = true;
  bool graphs = true;

  template <class F>
  void fields(F&& f) {
    f("device", device, "cpu or cuda; auto takes a GPU where there is one");
    f("precision", precision,
      "of matrix products; auto takes bfloat16 on a GPU, and on CPUs that multiply it for models "
      "at "
      "least 256 wide");
    f("threads", threads,
      "CPU threads, 0 for one per core that may be used; results depend on it to rounding");
    f("activation_checkpointing", activation_checkpointing,
      "keep only each layer's input for the backward pass: less memory, a third more work; auto "
      "does so in `train` where by `gdsd plan` training does not fit in free memory otherwise");
    f("kernels", kernels,
      "for CPUs: avx512, avx2, portable, auto for the best; off for libtorch's operations, which a "
      "GPU gets then too");
    f("reuse", reuse,
      "do equal work once, and none that nothing comes of: equal sequences, the first layer of "
      "equal tokens, the last layer of tokens not asked for, sequences and steps of a sampler with "
      "nothing left to do, old scores of a denoiser not yet changed, backward passes of zero; "
      "results are the same to the bit where a product's rows do not depend on how many there are, "
      "else to rounding");
    f("graphs", graphs,
      "on a GPU, record the denoising steps of a block and replay them for the next ones; results "
      "are the same, bit for bit");
  }
  void validate() const;
};

/// "bfloat16", "float16" or "float32", as the option `precision` and Hugging Face's torch_dtype
/// name them.
inline const char* precision_name(at::ScalarType dtype) {
  if (dtype == at::kBFloat16) return "bfloat16";
  if (dtype == at::kHalf) return "float16";
  check(dtype == at::kFloat, "[precision] ", dtype, " has no name.");
  return "float32";
}

struct Compute {
  at::Device device = at::kCPU;
  at::ScalarType dtype = at::kFloat;  // of matrix products; trained weights stay in float32
  int64_t workers = 1;  // batches computed side by side, each on one thread (workers.h)
  bool activation_checkpointing = false;
  bool reuse = true;            // equal work is done once, and none that nothing comes of
  bool graphs = true;           // denoising steps on a GPU are recorded (graph.h)
  bool augment = false;         // a matrix and its adapter are one product: on a GPU
  ComputeOptions settled = {};  // the options with nothing left open, which a run stores
};

/// Those that this process may run on: a cluster's scheduler gives it some of the machine's.
int64_t count_cores();

/// Whether these options take a GPU. Loads libtorch's CUDA half when the machine has one.
bool uses_gpu(const ComputeOptions& options);

/// Settles `auto` for a model of width D (that of activation_checkpointing, which depends on more,
/// is off: train() settles it by plan.h), and how threads are used: within each operation, or, for
/// a narrow model on a CPU, one to a worker. Loads libtorch's CUDA half when the machine has a GPU:
/// call it before any other tensor operation.
Compute open_compute(const ComputeOptions& options, int64_t D);

}  // namespace gdsd
