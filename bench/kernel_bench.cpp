// Every kernel for CPUs against libtorch's operations, at the shapes of `make bench`: milliseconds of
// both, in turn, medians, and their ratio.
//
//   kernel_bench [THREADS [ROUNDS]]
#include <ATen/Parallel.h>
#include <c10/core/GradMode.h>
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>

#include "gdsd/base/fields.h"
#include "gdsd/denoiser/fused_parts.h"
#include "gdsd/tensor/cpu_kernels.h"
#include "gdsd/tensor/products.h"
#include "gdsd/tensor/proposal.h"
#include "gdsd/tensor/vocabulary_head.h"
#include "gdsd/train/optimizer.h"

namespace {

using namespace gdsd;

int rounds = 15;

template <class F>
double seconds(F&& run) {
  const auto begin = std::chrono::steady_clock::now();
  run();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

double median(std::vector<double> all) {
  std::nth_element(all.begin(), all.begin() + std::ssize(all) / 2, all.end());
  return all[all.size() / 2];
}

template <class Ours, class Theirs>
void compare(const std::string& what, double flops, Ours&& ours, Theirs&& theirs) {
  ours(), theirs();
  std::vector<double> a, b, ratio;
  for (int i = 0; i < rounds; ++i) {
    a.push_back(seconds(ours));
    b.push_back(seconds(theirs));
    ratio.push_back(b.back() / a.back());
  }
  std::printf("%-44s %9.3f %9.3f %7.2f", what.c_str(), 1e3 * median(a), 1e3 * median(b),
              median(ratio));
  if (flops > 0) std::printf(" %9.0f", flops / median(a) / 1e9);
  std::printf("\n");
}

struct Shape {
  const char* name;
  int64_t B, L, H, h, F, V, R;  // R rows are proposed for
};

void attention(const Shape& s, at::ScalarType type, const std::string& name) {
  const int64_t D = s.H * s.h;
  const std::vector<int64_t> lengths(s.B, s.L);
  auto make = [&] { return at::randn({s.B * s.L, D}).to(type); };
  const Tensor q = make(), k = make(), v = make(), d = make();
  const AttendedBy by{q, k, v, lengths, lengths, s.h};
  const double flops = 4.0 * static_cast<double>(s.B * s.L * s.L * D);
  auto heads = [&](const Tensor& x) { return x.view({s.B, s.L, s.H, s.h}).transpose(1, 2); };
  auto plain = [&](const Tensor& a, const Tensor& b, const Tensor& c) {
    return at::scaled_dot_product_attention(heads(a), heads(b), heads(c));
  };
  {
    const c10::NoGradGuard no_grad;
    compare(
        name + " attention", flops, [&] { fused_attend(by); }, [&] { plain(q, k, v); });
  }
  const Attended done = fused_attend(by);
  const std::vector<Tensor> leaves{q.detach().requires_grad_(), k.detach().requires_grad_(),
                                   v.detach().requires_grad_()};
  const Tensor graph = plain(leaves[0], leaves[1], leaves[2]);
  compare(
      name + " attention, backward", 2.5 * flops, [&] { fused_attend_gradient(by, done, d); },
      [&] { torch::autograd::grad({graph}, leaves, {heads(d)}, /*retain_graph=*/true); });
}

void rowwise(const Shape& s, at::ScalarType type, const std::string& name) {
  const c10::NoGradGuard no_grad;
  const int64_t D = s.H * s.h, N = s.B * s.L;
  const Tensor x = at::randn({N, D}).to(type), w = at::ones({D}).to(type);
  compare(
      name + " RMSNorm", 0, [&] { fused_norm(x, w, 1e-5); }, [&] { rms_norm(x, w, 1e-5); });
  const Packed packed{at::zeros({N}, at::kLong), std::vector<int64_t>(s.B, s.L)};
  const Rope rope = rope_tables(packed, s.h, 10000, at::kFloat);
  compare(
      name + " rotation", 0, [&] { fused_rotate(x, rope, 1); },
      [&] {
        rotate(x.view({N, s.H, s.h}), rope);
      });
  const Tensor gate = at::randn({N, s.F}).to(type), up = at::randn({N, s.F}).to(type);
  compare(
      name + " SwiGLU", 0, [&] { fused_swiglu(gate, up); }, [&] { at::silu(gate) * up; });
}

/// Products of linear layers, and the two that are a layer's backward pass.
void linear(const Shape& s, at::ScalarType type, const std::string& name) {
  const c10::NoGradGuard no_grad;
  const int64_t D = s.H * s.h, N = s.B * s.L;
  const Tensor x = at::randn({N, D}).to(type), w = at::randn({s.F, D}).to(type),
               d = at::randn({N, s.F}).to(type), square = at::randn({D, D}).to(type);
  auto flops = [&](int64_t out) { return 2.0 * static_cast<double>(N * D * out); };
  compare(
      name + " product, D to D", flops(D), [&] { linear_forward(x, square); },
      [&] { x.mm(square.t()); });
  compare(
      name + " product, D to F", flops(s.F), [&] { linear_forward(x, w); }, [&] { x.mm(w.t()); });
  compare(
      name + " its input's gradient", flops(s.F), [&] { linear_input_gradient(d, w); },
      [&] { d.mm(w); });
  compare(
      name + " its weight's gradient", flops(s.F), [&] { linear_weight_gradient(d, x); },
      [&] { d.t().mm(x); });
}

void head(const Shape& s, at::ScalarType type, const std::string& name) {
  const int64_t D = s.H * s.h;
  const Tensor weight = at::randn({s.V, D}).to(type);
  const Tensor few = at::randn({s.R, D}).to(type),
               many = at::randn({4 * s.R, D}).to(type).requires_grad_();
  const Tensor target = at::randint(s.V, {4 * s.R}, at::kLong);
  std::vector<Key> keys;
  for (int64_t r = 0; r < s.R; ++r) keys.push_back(Key{1}.fork("row", r));
  auto both = [&](auto&& run) {
    return std::pair{[run] { run(); },
                     [run] {
                       const KernelChoice before = kernels_in_use();
                       use_kernels(KernelChoice::kOff);
                       run();
                       use_kernels(before);
                     }};
  };
  const auto draw = both([&] { propose(few, weight, {.temperature = 1.0}, keys); });
  compare(name + " head and sampler", 0, draw.first, draw.second);
  const auto learn = both([&] { log_prob(many, weight, target).sum().backward(); });
  compare(name + " log-probability and its gradient", 0, learn.first, learn.second);
}

/// A step on n numbers, against libtorch's operations over all of them, one after the other.
void adamw(int64_t n) {
  const OptimizerOptions o;
  constexpr double kCount = 8;
  const Tensor weight = at::randn({n}).requires_grad_(), gradient = at::randn({n});
  Optimizer optimizer({{"weight", weight}}, o, 1000);
  const Tensor p = at::randn({n}), mean = at::zeros({n}), square = at::zeros({n});
  const c10::NoGradGuard no_grad;
  compare(
      "AdamW of " + std::to_string(n) + " numbers", 0,
      [&] {
        weight.mutable_grad() = gradient;
        optimizer.step(kCount);
      },
      [&] {
        const Tensor g = gradient / kCount;
        const double norm = g.norm().item<double>();
        if (norm > o.max_grad_norm) g.mul_(o.max_grad_norm / norm);
        p.mul_(1 - o.lr * o.weight_decay);
        mean.lerp_(g, 1 - o.beta1);
        square.mul_(o.beta2).addcmul_(g, g, 1 - o.beta2);
        p.addcdiv_(mean, square.sqrt().add_(o.epsilon), -o.lr);
      });
}

/// The number in `text`, 1 to `most`; 0 if it is none.
int number(const std::string& text, int64_t most) {
  int64_t n = 0;
  return from_text(text, n) && n >= 1 && n <= most ? static_cast<int>(n) : 0;
}

}  // namespace

int main(int argc, char** argv) {
  const int threads = argc > 1 ? number(argv[1], 1024) : 1;
  if (argc > 2) rounds = number(argv[2], 10000);
  if (threads == 0 || rounds == 0 || argc > 3) {
    std::fprintf(stderr, "usage: kernel_bench [THREADS [ROUNDS]], 1 to 1024 and 1 to 10000\n");
    return 2;
  }
  at::set_num_threads(threads);
  at::manual_seed(0);
  std::printf("%d threads, %s\n%-44s %9s %9s %7s %9s\n", at::get_num_threads(),
              to_text(kernels_in_use()).c_str(), "", "ours ms", "torch ms", "ratio", "GFLOP/s");
  for (const Shape& s :
       {Shape{"D", 64, 32, 2, 32, 176, 8, 64}, Shape{"T", 96, 40, 4, 32, 344, 64, 480},
        Shape{"S", 6, 456, 4, 64, 688, 2048, 99}, Shape{"M", 4, 256, 12, 64, 2048, 32000, 66}})
    for (at::ScalarType type : {at::kBFloat16, at::kFloat}) {
      const std::string name =
          std::string(s.name) + (type == at::kFloat ? " float32" : " bfloat16");
      attention(s, type, name);
      linear(s, type, name);
      rowwise(s, type, name);
      head(s, type, name);
    }
  for (int64_t n : {1 << 16, 1 << 24}) adamw(n);
}
