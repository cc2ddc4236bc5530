#include "gdsd/tensor/tally.h"

#include <ATen/ATen.h>
#include <ATen/ExpandUtils.h>
#include <c10/core/Allocator.h>
#include <torch/library.h>

#include <algorithm>

namespace gdsd {

struct MemoryTally::Counter : c10::MemoryReportingInfoBase {
  void reportMemoryUsage(void*, int64_t size, size_t, size_t, c10::Device device) override {
    (device.is_meta() ? meta : cpu) += size;
    meta_peak = std::max(meta_peak, meta);
    peak = std::max(peak, meta + cpu);
  }
  bool memoryProfilingEnabled() const override { return true; }

  int64_t cpu = 0, meta = 0, meta_peak = 0, peak = 0;
};

namespace {

void report(int64_t bytes) {
  c10::reportMemoryUsageToProfiler(nullptr, bytes, 0, 0, c10::Device(c10::DeviceType::Meta));
}

void release(void* context) {
  const std::unique_ptr<int64_t> bytes(static_cast<int64_t*>(context));
  report(-*bytes);
}

/// libtorch's allocator for meta makes nothing; this one makes nothing and says how much of it.
struct ReportingMetaAllocator final : c10::Allocator {
  c10::DataPtr allocate(size_t size) override {
    const auto bytes = static_cast<int64_t>(size);
    report(bytes);
    return {nullptr, new int64_t(bytes), &release, c10::Device(c10::DeviceType::Meta)};
  }
  c10::DeleterFnPtr raw_deleter() const override { return &release; }
  void copy_data(void*, const void*, size_t) const override {}
};

// Shapes of what libtorch has no meta kernel for in C++ (its own are written in Python).

at::Tensor index_select_shape(const at::Tensor& x, int64_t dim, const at::Tensor& index) {
  std::vector<int64_t> sizes = x.sizes().vec();
  sizes.at(dim < 0 ? dim + x.dim() : dim) = index.numel();
  return at::empty(sizes, x.options());
}

at::Tensor& abs_shape(const at::Tensor& x, at::Tensor& out) {
  out.resize_(x.sizes());
  return out;
}

at::Tensor embedding_gradient_shape(const at::Tensor& grad, const at::Tensor&, int64_t rows,
                                    int64_t, bool) {
  return at::empty({rows, grad.size(-1)}, grad.options());
}

at::Tensor where_shape(const at::Tensor& condition, const at::Tensor& x, const at::Tensor& y) {
  const auto sizes = at::infer_size(at::infer_size(condition.sizes(), x.sizes()), y.sizes());
  return at::empty(sizes, x.options().dtype(at::result_type(x, y)));
}

using TwoTensors = std::tuple<at::Tensor, at::Tensor>;
using ThreeTensors = std::tuple<at::Tensor, at::Tensor, at::Tensor>;

/// q [n, H, L, h] → the output, stored as [n, L, H, h], and the log-sum-exp of every row.
TwoTensors attention_shape(const at::Tensor& q, const at::Tensor&, const at::Tensor&, double, bool,
                           const std::optional<at::Tensor>&, std::optional<double>) {
  const at::Tensor out = at::empty({q.size(0), q.size(2), q.size(1), q.size(3)}, q.options());
  return {out.transpose(1, 2),
          at::empty({q.size(0), q.size(1), q.size(2)}, q.options().dtype(at::kFloat))};
}

ThreeTensors attention_gradient_shape(const at::Tensor&, const at::Tensor& q, const at::Tensor& k,
                                      const at::Tensor& v, const at::Tensor&, const at::Tensor&,
                                      double, bool, const std::optional<at::Tensor>&,
                                      std::optional<double>) {
  return {at::empty_like(q), at::empty_like(k), at::empty_like(v)};
}

TORCH_LIBRARY_IMPL(aten, Meta, m) {
  m.impl("index_select", index_select_shape);
  m.impl("abs.out", abs_shape);
  m.impl("where.self", where_shape);
  m.impl("embedding_dense_backward", embedding_gradient_shape);
  m.impl("_scaled_dot_product_flash_attention_for_cpu", attention_shape);
  m.impl("_scaled_dot_product_flash_attention_for_cpu_backward", attention_gradient_shape);
}

void use_reporting_allocator() {
  static ReportingMetaAllocator allocator;
  c10::SetAllocator(c10::DeviceType::Meta, &allocator, /*priority=*/1);
}

}  // namespace

MemoryTally::MemoryTally()
    : counter_((use_reporting_allocator(), std::make_shared<Counter>())),
      guard_(c10::DebugInfoKind::PROFILER_STATE, counter_) {}

int64_t MemoryTally::meta() const { return counter_->meta; }
int64_t MemoryTally::meta_peak() const { return counter_->meta_peak; }
int64_t MemoryTally::peak() const { return counter_->peak; }

void MemoryTally::restart_peaks() {
  counter_->meta_peak = counter_->meta;
  counter_->peak = counter_->meta + counter_->cpu;
}

}  // namespace gdsd
