#include "gdsd/bench/machine.h"

#include <ATen/DeviceAccelerator.h>
#include <c10/core/GradMode.h>

#include <malloc.h>

#include <chrono>
#include <fstream>

#include "gdsd/tensor/products.h"
#include "gdsd/tensor/workers.h"

namespace gdsd {

namespace {

/// "VmHWM" or "VmRSS" of /proc/self/status, in bytes; 0 where there is no such file.
int64_t status_bytes(const std::string& key) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with(key + ":")) return 1024 * std::stoll(line.substr(key.size() + 1));
  return 0;
}

}  // namespace

void wait_for(at::Device device) {
  if (device.is_cuda()) at::accelerator::synchronizeDevice(at::accelerator::getDeviceIndex());
}

void release_freed_memory() {
#if defined(__GLIBC__)
  malloc_trim(0);
#endif
}

double measure_peak(const Compute& compute, double seconds) {
  using Clock = std::chrono::steady_clock;
  auto since = [](Clock::time_point begin) {
    return std::chrono::duration<double>(Clock::now() - begin).count();
  };
  const int64_t n = compute.device.is_cuda() ? 8192 : 1024;
  const auto like = at::TensorOptions(compute.device).dtype(compute.dtype);
  // Numbers of every kind: some devices are faster on equal ones.
  const Tensor a = at::linspace(-1, 1, n * n, like).view({n, n}), b = a.t().contiguous();
  std::vector<Tensor> out(compute.workers);
  for (Tensor& c : out) c = at::empty({n, n}, like);
  auto product = [&] {
    run_workers(compute.workers, [&](int64_t w) {
      const at::NoGradGuard no_grad;
      linear_forward_out(a, b, out[w]);
    });
    wait_for(compute.device);
  };
  product();  // the first one makes its plans
  double best = std::numeric_limits<double>::infinity();
  const auto start = Clock::now();
  for (int i = 0; i < 3 || since(start) < seconds; ++i) {
    const auto begin = Clock::now();
    product();
    best = std::min(best, since(begin));
  }
  const auto size = static_cast<double>(n);
  return 2 * size * size * size * static_cast<double>(compute.workers) / best;
}

void PeakMemory::restart() {
  if (device_.is_cuda()) {
    at::accelerator::resetPeakStats(at::accelerator::getDeviceIndex());
  } else {
    std::ofstream file("/proc/self/clear_refs");
    file << 5 << std::flush;  // Linux: VmHWM begins again at VmRSS
    known_ = file.good();
  }
}

int64_t PeakMemory::bytes() const {
  if (!device_.is_cuda()) return known_ ? status_bytes("VmHWM") : 0;
  return at::accelerator::getDeviceStats(at::accelerator::getDeviceIndex()).allocated_bytes[0].peak;
}

int64_t resident_bytes() { return status_bytes("VmRSS"); }

}  // namespace gdsd
