#include "gdsd/tensor/gpu_kernels.h"

#include <c10/core/impl/DeviceGuardImplInterface.h>

namespace gdsd {

namespace {

template <class T>
constexpr at::ScalarType kTypeOf = c10::CppTypeToScalarType<T>::value;
template <>
constexpr at::ScalarType kTypeOf<Bfloat16> = at::kBFloat16;

/// The numbers of a tensor, of the type that a kernel expects; null if it is undefined.
template <class T>
T* data(const Tensor& x) {
  if (!x.defined()) return nullptr;
  check(x.scalar_type() == kTypeOf<T> && x.is_contiguous(), "[GPU kernels] got ", x.scalar_type(),
        " of sizes ", x.sizes(), " and strides ", x.strides(), ", expected ", kTypeOf<T>,
        " without gaps.");
  return static_cast<T*>(x.mutable_data_ptr());
}

}  // namespace

GpuKernels GpuKernels::for_tensor(const Tensor& x) {
  const auto* guard = c10::impl::getDeviceGuardImpl(x.device().type());
  return {*cuda_table<float>(), *cuda_table<Bfloat16>(),
          guard->getStream(x.device()).native_handle()};
}

/// Calls body(table of the type of x), which starts a kernel.
template <class F>
void GpuKernels::start(const char* what, const Tensor& x, F&& body) const {
  const CudaFailure failure = x.scalar_type() == at::kBFloat16 ? body(bfloat16_) : body(float32_);
  check(!failure, "[GPU kernels] ", what, " of ", x.scalar_type(), " ", x.sizes(),
        " could not be started: ", failure ? failure : "", ". compute.kernels=off does without.");
}

void GpuKernels::norm(const Tensor& x, const Tensor& w, double eps, const Tensor& y,
                      const Tensor& inverse) const {
  start("norm", x, [&]<class T>(const CudaTable<T>& table) {
    return table.norm({.x = data<T>(x),
                       .w = data<T>(w),
                       .n = x.size(0),
                       .D = x.size(1),
                       .eps = static_cast<float>(eps),
                       .y = data<T>(y),
                       .inverse = data<float>(inverse)},
                      stream_);
  });
}

void GpuKernels::norm_gradient(const Tensor& x, const Tensor& w, const Tensor& inverse,
                               const Tensor& d_y, const Tensor& d_sum, const Tensor& d_x,
                               const Tensor& d_w) const {
  Tensor scratch;
  if (d_w.defined())
    scratch = at::empty({norm_scratch(x.size(0), x.size(1))}, x.options().dtype(at::kFloat));
  start("norm_gradient", x, [&]<class T>(const CudaTable<T>& table) {
    return table.norm_gradient({.x = data<T>(x),
                                .w = data<T>(w),
                                .inverse = data<float>(inverse),
                                .d_y = data<T>(d_y),
                                .d_sum = data<T>(d_sum),
                                .n = x.size(0),
                                .D = x.size(1),
                                .d_x = data<T>(d_x),
                                .d_w = data<float>(d_w),
                                .scratch = data<float>(scratch)},
                               stream_);
  });
}

void GpuKernels::rotate(const Tensor& x, const Tensor& cos, const Tensor& sin,
                        const Tensor& position, double sign, bool round) const {
  const int64_t h = cos.size(1);
  start("rotate", x, [&]<class T>(const CudaTable<T>& table) {
    return table.rotate({.x = data<T>(x),
                         .cos = data<float>(cos),
                         .sin = data<float>(sin),
                         .position = data<int64_t>(position),
                         .n = x.size(0),
                         .heads = x.size(1) / h,
                         .h = h,
                         .sign = static_cast<float>(sign),
                         .round = round},
                        stream_);
  });
}

void GpuKernels::swiglu(const Tensor& gate, const Tensor& up, const Tensor& y) const {
  start("swiglu", gate, [&]<class T>(const CudaTable<T>& table) {
    return table.swiglu(
        {.gate = data<T>(gate), .up = data<T>(up), .n = gate.numel(), .y = data<T>(y)}, stream_);
  });
}

void GpuKernels::swiglu_gradient(const Tensor& gate, const Tensor& up, const Tensor& d_y,
                                 const Tensor& d_gate, const Tensor& d_up) const {
  start("swiglu_gradient", gate, [&]<class T>(const CudaTable<T>& table) {
    return table.swiglu_gradient({.gate = data<T>(gate),
                                  .up = data<T>(up),
                                  .d_y = data<T>(d_y),
                                  .n = gate.numel(),
                                  .d_gate = data<T>(d_gate),
                                  .d_up = data<T>(d_up)},
                                 stream_);
  });
}

void GpuKernels::propose(const Tensor& logits, const ProposalOptions& options, const Tensor& keys,
                         const Proposal& to) const {
  Banned banned = kNoneBanned;
  for (size_t i = 0; i < options.banned.size(); ++i)
    banned.at(i) = static_cast<int32_t>(options.banned[i]);
  start("propose", logits, [&]<class T>(const CudaTable<T>& table) {
    return table.propose({.z = data<T>(logits),
                          .rows = logits.size(0),
                          .V = logits.size(1),
                          .usable = options.usable,
                          .banned = banned,
                          .temperature = options.temperature,
                          .key = data<int64_t>(keys),
                          .token = data<int64_t>(to.token),
                          .log_p = data<float>(to.log_p),
                          .entropy = data<float>(to.entropy),
                          .margin = data<float>(to.margin)},
                         stream_);
  });
}

void GpuKernels::log_probs(const Tensor& logits, const Tensor& target, const Tensor& log_z,
                           const Tensor& log_p) const {
  start("log_probs", logits, [&]<class T>(const CudaTable<T>& table) {
    return table.log_probs({.z = data<T>(logits),
                            .rows = logits.size(0),
                            .V = logits.size(1),
                            .target = data<int64_t>(target),
                            .log_z = data<float>(log_z),
                            .log_p = data<float>(log_p)},
                           stream_);
  });
}

void GpuKernels::log_probs_gradient(const Tensor& logits, const Tensor& log_z, const Tensor& target,
                                    const Tensor& g) const {
  start("log_probs_gradient", logits, [&]<class T>(const CudaTable<T>& table) {
    return table.log_probs_gradient({.z = data<T>(logits),
                                     .rows = logits.size(0),
                                     .V = logits.size(1),
                                     .log_z = data<float>(log_z),
                                     .target = data<int64_t>(target),
                                     .g = data<float>(g)},
                                    stream_);
  });
}

}  // namespace gdsd
