#include "cli/doctor.h"

#include <ATen/Context.h>
#include <ATen/DeviceAccelerator.h>
#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <ATen/ops/_fused_sdp_choice.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>
#include <torch/version.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "cli/rows.h"
#include "cli/verbs.h"
#include "gdsd/base/progress.h"
#include "gdsd/base/regex.h"
#include "gdsd/cuda/table.h"
#include "gdsd/tensor/cpu_kernels.h"
#include "gdsd/tensor/device.h"
#include "gdsd/tensor/graph.h"
#include "gdsd/tensor/tiles.h"
#include "gdsd/text/nfc.h"

namespace gdsd {

namespace {

/// What follows "key : " in a file of /proc, in its first line that has it.
std::string info(const std::filesystem::path& from, const std::string& key) {
  std::ifstream file(from);
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with(key)) continue;
    const size_t value = line.find_first_not_of(" \t", line.find(':') + 1);
    return value == std::string::npos ? "" : line.substr(value);
  }
  return "";
}
std::string cpu_info(const std::string& key) { return info("/proc/cpuinfo", key); }

/// The instructions that decide how fast products are.
std::string instructions() {
  std::istringstream words(cpu_info("flags"));
  std::set<std::string> flags;
  for (std::string word; words >> word;) flags.insert(word);
  std::string out;
  for (const char* flag : {"avx2", "avx512f", "avx512_bf16", "amx_bf16"})
    out += concat(out.empty() ? "" : ", ", flag, flags.contains(flag) ? " yes" : " no");
  return out;
}

std::string on_path(const char* program) {
  const char* path = std::getenv("PATH");
  std::istringstream folders(path ? path : "");
  for (std::string folder; std::getline(folders, folder, ':');)
    if (access((folder + "/" + program).c_str(), X_OK) == 0) return folder + "/" + program;
  return "";
}

std::string describe_compute(int64_t width) {
  const Compute c = open_compute({}, width);
  const std::string type = precision_name(c.dtype);
  if (c.device.is_cuda()) return "GPU, products in " + type;
  return concat("CPU, ",
                c.workers > 1 ? concat(c.workers, " workers of one thread each")
                              : concat(at::get_num_threads(), " threads within each operation"),
                ", products in ", type);
}

/// The kernel that attention takes there, as libtorch chooses it for a model's heads.
std::string describe_attention(const Compute& c) {
  if (c.device.is_cpu() && kernels_in_use() != KernelChoice::kOff) return "CPU kernels";
  const at::TensorOptions like = at::TensorOptions(c.device).dtype(c.dtype);
  const Tensor q = at::empty({1, 32, 64, 128}, like);
  constexpr std::array<const char*, 5> names{"plain products (math)", "flash attention",
                                             "memory-efficient attention", "cuDNN's attention",
                                             "an overridden kernel"};
  const auto choice = static_cast<size_t>(at::_fused_sdp_choice(q, q, q));
  return concat("scaled_dot_product_attention: ",
                choice < names.size() ? names[choice] : "unknown to this program");
}

/// Of our own, and whose products of linear layers are taken.
std::string describe_kernels() {
  const InstructionSet set = kernel_instruction_set();
  return concat(to_text(kernels_in_use()), "; products by ",
                makes_products(set, false) ? "them" : "libtorch", " in float32, by ",
                makes_products(set, true) ? "them" : "libtorch", " in bfloat16");
}

std::string describe_gpu_kernels() {
  const std::string architectures = cuda_architectures();
  return architectures.empty() ? "none, built without nvcc: on a GPU libtorch's operations"
                               : "compiled for CUDA architectures " + architectures;
}

std::string describe_tiles(const Compute& c) {
  const int64_t tile =
      fitting_tile(at::empty({0}, at::TensorOptions(c.device).dtype(c.dtype)), kTile);
  return concat("tiles of ", tile, " logits, ", human_bytes(4.0 * static_cast<double>(tile)),
                " in float32");
}

/// Whether a block's denoising steps become one CUDA graph.
std::string describe_graphs() {
  if (!at::hasCUDA()) return "none, without libtorch's CUDA half";
  return cuda_recorder()
             ? "denoising steps are recorded"
             : "none: libgdsd_cuda_graph.so was not built, or is not beside the program; "
               "steps are launched one by one";
}

/// The libraries that compute products on the CPU, as libtorch was built.
std::string product_libraries() {
  std::istringstream lines(at::show_config());
  std::string out;
  for (std::string line; std::getline(lines, line);) {
    const bool names_one = line.find("oneAPI") != std::string::npos ||
                           line.find("MKL-DNN") != std::string::npos ||
                           line.find("OpenMP") != std::string::npos;
    if (names_one && line.starts_with("  - "))
      out += concat(out.empty() ? "" : "; ", line.substr(4, line.find(" (Git") - 4));
  }
  return out.empty() ? "libtorch's own" : out;
}

/// Name and memory of every GPU, by the driver and by libtorch.
void print_gpus() {
  for (const auto& gpu : std::filesystem::directory_iterator("/proc/driver/nvidia/gpus"))
    print_row("GPU", info(gpu.path() / "information", "Model"));
  for (int i = 0; i < at::accelerator::deviceCount(); ++i) {
    const auto [free, all] = at::accelerator::getMemoryInfo(static_cast<c10::DeviceIndex>(i));
    print_row(concat("GPU ", i, " memory"),
              concat(human_bytes(static_cast<double>(all)), ", ",
                     human_bytes(static_cast<double>(free)), " free"));
  }
}

/// The GPU's side; → what is missing, or "".
std::string describe_gpu() {
  if (!std::filesystem::exists("/dev/nvidiactl")) {
    print_row("GPU", "none (no NVIDIA driver): everything runs on the CPU");
    return "";
  }
  try {
    open_compute({.device = DeviceChoice::kCuda}, 4096);
    at::globalContext().lazyInitDevice(at::kCUDA);
    print_gpus();
    return "";
  } catch (const Error&) {
    print_row("GPU", "a driver is there, but libtorch here has no CUDA half");
    return on_path("nvcc").empty() ? "nvcc (CUDA toolkit) and libtorch's CUDA half: install the "
                                     "toolkit, then `make setup`"
                                   : "libtorch's CUDA half: `make setup`";
  }
}

}  // namespace

int run_doctor() {
  uses_gpu({});  // first of all: libtorch finds out once whether it has a CUDA half
  const auto pages = static_cast<double>(sysconf(_SC_PHYS_PAGES)),
             free_pages = static_cast<double>(sysconf(_SC_AVPHYS_PAGES)),
             page = static_cast<double>(sysconf(_SC_PAGESIZE));
  print_row("gdsd", GDSD_VERSION);
  print_row("libtorch", concat(TORCH_VERSION, ", CPU kernels ", at::get_cpu_capability()));
  print_row("products", product_libraries());
  print_row("patterns", regex_library());
  print_row("Unicode", unicode_library());
  print_row("JSON", concat("nlohmann ", NLOHMANN_JSON_VERSION_MAJOR, ".",
                           NLOHMANN_JSON_VERSION_MINOR, ".", NLOHMANN_JSON_VERSION_PATCH));
  print_row("processor", cpu_info("model name"));
  print_row("instructions", instructions());
  print_row("memory",
            concat(human_bytes(pages * page), ", ", human_bytes(free_pages * page), " free"));
  const std::string missing = describe_gpu();
  print_row("narrow models", describe_compute(64) + " (width below 256)");
  print_row("wide models", describe_compute(4096));
  print_row("CPU kernels", describe_kernels());
  const Compute wide = open_compute({}, 4096);
  print_row("attention", describe_attention(wide));
  print_row("GPU kernels", describe_gpu_kernels());
  print_row("CUDA graphs", describe_graphs());
  print_row("vocabulary head", describe_tiles(wide));
  print_row("missing", missing.empty() ? "nothing" : missing);
  return kExitDone;
}

}  // namespace gdsd
