// LLaDA-8B's exact shape with random weights in bfloat16, an adapter of rank 128 on q, k, v and up in
// float32, prompts of 200 tokens and completions of 256: seconds, share of the measured peak of
// products, and memory, of
//   rollout  whole rollouts of 64 steps in blocks of 32, batches of 1, 6 and 16
//   train    a coupled pair of complementary masks, forward and backward, and AdamW, batch of 6
//
//   gpu_8b [--small] [TEMPERATURE [ROUNDS]]       0 and 3; TEMPERATURE 0 is greedy
//
// --small takes a model of little width and depth, on any machine: it shows that the program works,
// and its figures say nothing. Beside it, for the same columns, on the same machine:
//
//   reference.py --device cuda --dtype bfloat16 --d-model 4096 --layers 32 --heads 32 --mlp 12288
//     --vocab 126464 --rank 128 --steps 64 --temperature T --phases rollout --batch 1  (and 6, 16)
//   reference.py … --phases train --batch 6
//
// Operations are counted as gdsd/train/flops.h says: those that the results need.
#include <ATen/Context.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>

#include "gdsd/bench/machine.h"
#include "gdsd/denoiser/transformer.h"
#include "gdsd/sampler/resident.h"
#include "gdsd/tensor/graph.h"
#include "gdsd/tensor/vocabulary_head.h"
#include "gdsd/train/flops.h"
#include "gdsd/train/optimizer.h"

namespace {

using namespace gdsd;

struct Arguments {
  bool small = false;
  double temperature = 0;
  int rounds = 3;
};

ModelConfig model_config(bool small) {
  Architecture a{.family = Family::kLlada,
                 .vocabulary = 126464,
                 .width = 4096,
                 .layers = 32,
                 .heads = 32,
                 .kv_heads = 32,
                 .mlp_width = 12288,
                 .max_length = 4096,
                 .rope_theta = 500000,
                 .norm_epsilon = 1e-5};
  if (small)
    a.vocabulary = 2048, a.width = 64, a.layers = 2, a.heads = a.kv_heads = 4, a.mlp_width = 160;
  const int64_t mask = a.vocabulary - 128, eos = mask - 255;  // 126336 and 126081
  return {a, {.size = a.vocabulary, .mask_id = mask, .eos_id = eos, .pad_id = eos}, {}};
}

/// Matrices uniform in ±1/√inputs, drawn on the device; norms 1.
Tensor draw(const std::vector<int64_t>& shape, const at::TensorOptions& like) {
  if (shape.size() == 1) return at::ones(shape, like);
  const double bound = 1 / std::sqrt(static_cast<double>(shape[1]));
  return at::empty(shape, like).uniform_(-bound, bound);
}

Transformer make_model(const ModelConfig& config, const Compute& compute) {
  const auto on = at::TensorOptions(compute.device);
  TensorMap weights;
  for (const auto& [name, shape] : tensor_shapes(config.architecture))
    weights[name] = draw(shape, on.dtype(compute.dtype));
  Adapter adapter;
  const int64_t rank = std::min<int64_t>(128, config.architecture.width / 4);
  for (int64_t layer = 0; layer < config.architecture.layers; ++layer)
    for (Role role : {Role::kQ, Role::kK, Role::kV, Role::kUp}) {
      const auto [out, in] = matrix_shape(config.architecture, role);
      adapter.modules[matrix_name(config.architecture, layer, role)] = {
          .A = draw({rank, in}, on.dtype(at::kFloat)).requires_grad_(),
          .B = draw({out, rank}, on.dtype(at::kFloat)).mul_(1e-2).requires_grad_(),
          .scale = 64.0 / 128};
    }
  return {config, std::move(weights), compute, std::move(adapter)};
}

/// Times calls of `work` and prints a line. The first calls, which plan and record, are not timed.
template <class F>
void report(const char* phase, int64_t B, int64_t steps, double flops, double peak, int rounds,
            const Compute& compute, F&& work) {
  for (int i = 0; i < 2; ++i) work();
  wait_for(compute.device);
  PeakMemory memory(compute.device);
  std::vector<double> seconds;
  for (int i = 0; i < rounds; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    work();
    wait_for(compute.device);
    seconds.push_back(
        std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
  }
  std::sort(seconds.begin(), seconds.end());
  const double median = seconds[seconds.size() / 2];
  std::printf("%-8s %4ld %10.4f %10.4f %9.2f %9.1f %6.1f %10.1f\n", phase, static_cast<long>(B),
              median, seconds[0], 1e3 * median / static_cast<double>(steps), flops / median / 1e12,
              100 * flops / median / peak, static_cast<double>(memory.bytes()) / (1 << 20));
  std::fflush(stdout);
}

constexpr int64_t kPrompt = 200, kCompletion = 256;

/// The ids of reference.py: [B, P].
Tensor prompt_ids(int64_t B, int64_t V, at::Device device) {
  const auto ints = at::TensorOptions(at::kLong).device(device);
  return (at::arange(B, ints).unsqueeze(1) * 7919 + at::arange(kPrompt, ints) * 104729 + 17)
      .remainder(V - 512);
}

void rollouts(const Transformer& model, int64_t B, double peak, const Arguments& arguments,
              const Compute& compute) {
  const Architecture& a = model.architecture();
  const Packed prompts{prompt_ids(B, a.vocabulary, compute.device).flatten(),
                       std::vector<int64_t>(static_cast<size_t>(B), kPrompt)};
  SamplerOptions o{.gen_length = kCompletion,
                   .block_length = 32,
                   .steps = 64,
                   .temperature = arguments.temperature};
  double flops = 0;
  for (const ResidentStep& step : resident_steps(o))
    flops += forward_flops(a, {static_cast<double>(B), kPrompt + kCompletion,
                               static_cast<double>(B * step.hidden)}) *
             static_cast<double>(o.gen_length / o.block());
  std::vector<Key> keys;
  for (int64_t b = 0; b < B; ++b) keys.push_back(Key{1}.fork("rollout", b));
  report("rollout", B, o.steps, flops, peak, arguments.rounds, compute,
         [&] { sample(model, prompts, o, keys); });
}

/// Two views of every sequence, of which one hides the completion tokens that the other shows.
void training(const Transformer& model, int64_t B, double peak, const Arguments& arguments,
              const Compute& compute) {
  const Architecture& a = model.architecture();
  const auto ints = at::TensorOptions(at::kLong).device(compute.device);
  const int64_t L = kPrompt + kCompletion;
  const Tensor ids = at::cat({prompt_ids(B, a.vocabulary, compute.device),
                              at::randint(a.vocabulary - 512, {B, kCompletion}, ints)},
                             1);
  const Tensor first = at::arange(kCompletion, ints).remainder(2).eq(0).expand({B, kCompletion});
  const Tensor shown = at::zeros({B, kPrompt}, first.options());
  const Tensor hidden = at::cat({at::cat({shown, first}, 1), at::cat({shown, ~first}, 1)});
  const Tensor twice = at::cat({ids, ids});  // [2B, L]
  const Packed x{twice.masked_fill(hidden, model.vocabulary().mask_id).flatten(),
                 std::vector<int64_t>(static_cast<size_t>(2 * B), L)};
  const Rows rows{hidden.flatten().nonzero().squeeze(1),
                  std::vector<int64_t>(static_cast<size_t>(2 * B), kCompletion / 2)};
  const Tensor target = twice.flatten().index_select(0, rows.index);
  const double flops = learning_flops(
      a,
      {2.0 * static_cast<double>(B), static_cast<double>(L), static_cast<double>(B * kCompletion)},
      adapter_ranks(model));
  Optimizer optimizer(model.trainable(), {.lr = 3e-6, .warmup = 0}, /*total_steps=*/1000);
  report("train", B, 1, flops, peak, arguments.rounds, compute, [&] {
    log_prob(model.encode(x, rows), model.head(), target).sum().backward();
    optimizer.step(static_cast<double>(B));
  });
}

void run(const Arguments& arguments) {
  const ModelConfig config = model_config(arguments.small);
  ComputeOptions options{.precision = Precision::kBfloat16};
  if (!arguments.small) options.device = DeviceChoice::kCuda;
  const Compute compute = open_compute(options, config.architecture.width);
  at::manual_seed(1);
  const double peak = measure_peak(compute);
  std::printf("device %s, peak of products %.1f TFLOP/s, %s\n", compute.device.str().c_str(),
              peak / 1e12,
              cuda_recorder() ? "steps recorded in CUDA graphs" : "steps not recorded");
  std::printf("%-8s %4s %10s %10s %9s %9s %6s %10s\n", "phase", "B", "median_s", "min_s", "ms/step",
              "TFLOP/s", "%peak", "peak_mib");
  const Transformer model = make_model(config, compute);
  for (int64_t B : {1, 6, 16}) rollouts(model, B, peak, arguments, compute);
  training(model, 6, peak, arguments, compute);
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  int at = 1;
  if (at < argc && std::strcmp(argv[at], "--small") == 0) arguments.small = true, ++at;
  if (at < argc) arguments.temperature = std::atof(argv[at++]);
  if (at < argc) arguments.rounds = std::max(1, std::atoi(argv[at]));
  try {
    run(arguments);
  } catch (const c10::Error& error) {
    std::fprintf(stderr, "gpu_8b: %s\n", error.what_without_backtrace());
    return 2;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "gpu_8b: %s\n", error.what());
    return 2;
  }
}
