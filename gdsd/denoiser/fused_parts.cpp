#include "gdsd/denoiser/fused_parts.h"

#include <ATen/Parallel.h>

#include <cmath>

#include "gdsd/denoiser/gpu_attention.h"
#include "gdsd/tensor/gpu_kernels.h"

namespace gdsd {

namespace {

/// Calls body(first, rows) on threads for runs of n rows of `width` numbers.
template <class F>
void over_rows(int64_t n, int64_t width, F&& body) {
  at::parallel_for(0, n, 1 + (1 << 14) / width,
                   [&](int64_t begin, int64_t end) { body(begin, end - begin); });
}

Tensor float_like(const Tensor& x, at::IntArrayRef sizes) {
  return at::empty(sizes, x.options().dtype(at::kFloat));
}

}  // namespace

Normed fused_norm(const Tensor& x, const Tensor& weight, double eps) {
  const int64_t n = x.size(0), D = x.size(1);
  Normed out{at::empty_like(x), float_like(x, {n})};
  const Tensor w = weight.to(x.scalar_type());
  auto cpu = [&](const auto& k) {
    float* inverse = out.inverse.template mutable_data_ptr<float>();
    over_rows(n, D, [&](int64_t i, int64_t rows) {
      k.table.rms_norm(k.of(x) + i * D, k.of(w), rows, D, static_cast<float>(eps),
                       k.of(out.y) + i * D, inverse + i);
    });
  };
  with_kernels(x, cpu, [&](const GpuKernels& k) { k.norm(x, w, eps, out.y, out.inverse); });
  return out;
}

Tensor fused_norm_gradient(const Tensor& x, const Tensor& weight, const Tensor& inverse,
                           const Tensor& d_y, const Tensor& d_x, const Tensor& d_weight) {
  const int64_t n = x.size(0), D = x.size(1);
  Tensor out = at::empty_like(x);
  const Tensor w = weight.to(x.scalar_type());
  auto cpu = [&](const auto& k) {
    const float* scale = inverse.template const_data_ptr<float>();
    float* d_w = d_weight.defined() ? d_weight.template mutable_data_ptr<float>() : nullptr;
    auto run = [&](int64_t i, int64_t rows) {
      k.table.rms_norm_gradient(k.of(x) + i * D, k.of(w), scale + i, k.of(d_y) + i * D,
                                d_x.defined() ? k.of(d_x) + i * D : nullptr, rows, D,
                                k.of(out) + i * D, d_w);
    };
    if (d_w)
      run(0, n);  // one thread, which sums d_w in one order
    else
      over_rows(n, D, run);
  };
  with_kernels(x, cpu, [&](const GpuKernels& k) {
    k.norm_gradient(x, w, inverse, d_y, d_x, out, d_weight);
  });
  return out;
}

void fused_rotate(const Tensor& x, const Rope& rope, double sign) {
  const int64_t n = x.size(0), width = x.size(1), h = rope.cos.size(1);
  const bool round = rope.cos.scalar_type() == at::kBFloat16;
  const Tensor cos = rope.cos.to(at::kFloat), sin = rope.sin.to(at::kFloat);
  auto cpu = [&](const auto& k) {
    const int64_t* position = rope.position.template const_data_ptr<int64_t>();
    over_rows(n, width, [&](int64_t i, int64_t rows) {
      k.table.rotate(k.of(x) + i * width, width, cos.template const_data_ptr<float>(),
                     sin.template const_data_ptr<float>(), position + i, rows, width / h, h,
                     static_cast<float>(sign), round);
    });
  };
  with_kernels(x, cpu,
               [&](const GpuKernels& k) { k.rotate(x, cos, sin, rope.position, sign, round); });
}

namespace {

/// The work of one sequence and one head of keys.
template <class T, class A>
A attention_task(const KernelsOf<T>& k, const AttendedBy& by, const Attended& to, int64_t b,
                 int64_t head, int64_t q_at, int64_t k_at) {
  const int64_t wide = by.q.size(1), narrow = by.k.size(1), h = by.h, group = wide / narrow;
  A a;
  a.q = k.of(by.q) + q_at * wide + head * group * h;
  a.k = k.of(by.k) + k_at * narrow + head * h;
  a.v = k.of(by.v) + k_at * narrow + head * h;
  a.q_row = a.out_row = wide;
  a.k_row = a.v_row = narrow;
  a.queries = by.queries[b];
  a.keys = by.keys[b];
  a.h = h;
  a.group = group;
  a.scale = 1 / std::sqrt(static_cast<float>(h));
  a.out = k.of(to.out) + q_at * wide + head * group * h;
  a.lse_row = wide / h;
  a.lse = to.lse.template mutable_data_ptr<float>() + q_at * a.lse_row + head * group;
  return a;
}

/// Calls body(b, head, row of its first query, row of its first key) for every sequence and every
/// head of keys, on threads.
template <class F>
void over_heads(const AttendedBy& by, F&& body) {
  const auto B = static_cast<int64_t>(by.keys.size()), heads = by.k.size(1) / by.h;
  std::vector<int64_t> q_at(B + 1, 0), k_at(B + 1, 0);
  for (int64_t b = 0; b < B; ++b)
    q_at[b + 1] = q_at[b] + by.queries[b], k_at[b + 1] = k_at[b] + by.keys[b];
  at::parallel_for(0, B * heads, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i)
      body(i / heads, i % heads, q_at[i / heads], k_at[i / heads]);
  });
}

}  // namespace

Attended fused_attend(const AttendedBy& by) {
  if (by.q.is_cuda()) return gpu_attend(by);
  const Attended out{at::empty_like(by.q), float_like(by.q, {by.q.size(0), by.q.size(1) / by.h})};
  with_kernels(by.q, [&]<class T>(const KernelsOf<T>& k) {
    over_heads(by, [&](int64_t b, int64_t head, int64_t q_at, int64_t k_at) {
      const auto task = attention_task<T, Attention<T>>(k, by, out, b, head, q_at, k_at);
      if (task.queries == 0) return;
      k.table.attention(task, scratch(k.table.attention_scratch(task)).get());
    });
  });
  return out;
}

std::array<Tensor, 3> fused_attend_gradient(const AttendedBy& by, const Attended& attended,
                                            const Tensor& d_out) {
  if (by.q.is_cuda()) return gpu_attend_gradient(by, attended, d_out);
  std::array<Tensor, 3> out{at::empty_like(by.q), at::empty_like(by.k), at::empty_like(by.v)};
  with_kernels(by.q, [&]<class T>(const KernelsOf<T>& k) {
    over_heads(by, [&](int64_t b, int64_t head, int64_t q_at, int64_t k_at) {
      auto task = attention_task<T, AttentionGradient<T>>(k, by, attended, b, head, q_at, k_at);
      const int64_t of_q = task.q - k.of(by.q), of_k = task.k - k.of(by.k);
      task.d_out = k.of(d_out) + of_q;
      task.d_q = k.of(out[0]) + of_q;
      task.d_k = k.of(out[1]) + of_k;
      task.d_v = k.of(out[2]) + of_k;
      task.d_out_row = task.d_q_row = task.q_row;
      task.d_k_row = task.d_v_row = task.k_row;
      k.table.attention_gradient(task, scratch(k.table.attention_gradient_scratch(task)).get());
    });
  });
  return out;
}

Tensor fused_swiglu(const Tensor& gate, const Tensor& up) {
  const int64_t F = gate.size(1);
  Tensor y = at::empty_like(gate);
  auto cpu = [&](const auto& k) {
    over_rows(gate.size(0), F, [&](int64_t i, int64_t rows) {
      k.table.swiglu(k.of(gate) + i * F, k.of(up) + i * F, F, rows, F, k.of(y) + i * F);
    });
  };
  with_kernels(gate, cpu, [&](const GpuKernels& k) { k.swiglu(gate, up, y); });
  return y;
}

std::array<Tensor, 2> fused_swiglu_gradient(const Tensor& gate, const Tensor& up,
                                            const Tensor& d_y) {
  const int64_t F = gate.size(1);
  std::array<Tensor, 2> out{at::empty_like(gate), at::empty_like(up)};
  auto cpu = [&](const auto& k) {
    over_rows(gate.size(0), F, [&](int64_t i, int64_t rows) {
      k.table.swiglu_gradient(k.of(gate) + i * F, k.of(up) + i * F, F, k.of(d_y) + i * F, rows, F,
                              k.of(out[0]) + i * F, k.of(out[1]) + i * F, F);
    });
  };
  with_kernels(gate, cpu,
               [&](const GpuKernels& k) { k.swiglu_gradient(gate, up, d_y, out[0], out[1]); });
  return out;
}

}  // namespace gdsd
