#include "cli/doctor.h"

#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <torch/version.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "cli/rows.h"
#include "cli/verbs.h"
#include "gdsd/base/progress.h"
#include "gdsd/tensor/device.h"

namespace gdsd {

namespace {

/// What follows "key : " in /proc/cpuinfo, of the first core.
std::string cpu_info(const std::string& key) {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with(key)) return line.substr(std::min(line.size(), line.find(':') + 2));
  return "";
}

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

/// The GPU's side; → what is missing, or "".
std::string describe_gpu() {
  if (!std::filesystem::exists("/dev/nvidiactl")) {
    print_row("GPU", "none (no NVIDIA driver): everything runs on the CPU");
    return "";
  }
  try {
    open_compute({.device = DeviceChoice::kCuda}, 4096);
    print_row("GPU", "found, and libtorch's CUDA half is loaded");
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
  const auto pages = static_cast<double>(sysconf(_SC_PHYS_PAGES)),
             free_pages = static_cast<double>(sysconf(_SC_AVPHYS_PAGES)),
             page = static_cast<double>(sysconf(_SC_PAGESIZE));
  print_row("gdsd", GDSD_VERSION);
  print_row("libtorch", concat(TORCH_VERSION, ", CPU kernels ", at::get_cpu_capability()));
  print_row("processor", cpu_info("model name"));
  print_row("instructions", instructions());
  print_row("memory",
            concat(human_bytes(pages * page), ", ", human_bytes(free_pages * page), " free"));
  const std::string missing = describe_gpu();
  print_row("narrow models", describe_compute(64) + " (width below 256)");
  print_row("wide models", describe_compute(4096));
  print_row("attention", "libtorch's fused kernel (scaled_dot_product_attention)");
  print_row("vocabulary head", "tiles of 2^24 logits");
  print_row("missing", missing.empty() ? "nothing" : missing);
  return kExitDone;
}

}  // namespace gdsd
