// Holds what a GPU computes to the CPU's numbers, without a test framework, on a machine that has
// little more than libtorch: attention and its gradient, a model and the gradient of its adapter, and
// the sampler on the device, recorded or not, against the one that asks the host.
//
//   gpu_check       prints a line for every check; exit code 1 if one fails
#include <c10/core/GradMode.h>
#include <torch/csrc/autograd/autograd.h>

#include <cstdio>

#include "gdsd/denoiser/gpu_attention.h"
#include "gdsd/denoiser/init_weights.h"
#include "gdsd/denoiser/transformer.h"
#include "gdsd/sampler/sampler.h"
#include "gdsd/tensor/device.h"
#include "gdsd/tensor/random.h"
#include "gdsd/tensor/vocabulary_head.h"

namespace {

using namespace gdsd;

int failures = 0;

void expect(bool ok, const std::string& what) {
  std::printf("%s %s\n", ok ? "ok    " : "FAILED", what.c_str());
  failures += !ok;
}

/// |x − y| at most `bound` of the largest |y|.
void near(const Tensor& x, const Tensor& y, double bound, const std::string& what) {
  auto wide = [](const Tensor& t) { return t.detach().to(at::kCPU, at::kDouble); };
  const double scale = wide(y).abs().max().item<double>();
  const double difference = (wide(x) - wide(y)).abs().max().item<double>() / scale;
  expect(difference <= bound, concat(what, ": ", difference, ", at most ", bound));
}

/// Uniform in ±√3, the same on every machine.
Tensor noise(at::IntArrayRef sizes, std::string_view name) {
  const Key key = Key{7}.fork(name);
  const int64_t n = c10::multiply_integers(sizes);
  return ((uniform(std::span(&key, 1), n) - 0.5) * std::sqrt(12.0)).to(at::kFloat).view(sizes);
}

struct Case {
  int64_t H, H_keys, h;
  std::vector<int64_t> queries, keys;
};

void check_attention(const Case& c, at::ScalarType type) {
  const int64_t R = std::accumulate(c.queries.begin(), c.queries.end(), int64_t{0});
  const int64_t N = std::accumulate(c.keys.begin(), c.keys.end(), int64_t{0});
  auto rounded = [&](const Tensor& x) { return x.to(type).to(at::kFloat); };
  const std::vector<Tensor> on_cpu{rounded(noise({R, c.H * c.h}, "q")),
                                   rounded(noise({N, c.H_keys * c.h}, "k")),
                                   rounded(noise({N, c.H_keys * c.h}, "v"))};
  const Tensor d_out = rounded(noise({R, c.H * c.h}, "d"));
  const Attended expected = fused_attend({on_cpu[0], on_cpu[1], on_cpu[2], c.queries, c.keys, c.h});
  const auto d_expected = fused_attend_gradient(
      {on_cpu[0], on_cpu[1], on_cpu[2], c.queries, c.keys, c.h}, expected, d_out);

  auto there = [&](const Tensor& x) { return x.to(at::kCUDA, type); };
  const Tensor q = there(on_cpu[0]), k = there(on_cpu[1]), v = there(on_cpu[2]);
  const AttendedBy by{q, k, v, c.queries, c.keys, c.h};
  const Attended got = gpu_attend(by);
  const auto d = gpu_attend_gradient(by, got, there(d_out));
  const double unit = type == at::kFloat ? 1e-4 : 2e-2;
  const std::string name = concat("attention ", c.H, '/', c.H_keys, " heads of ", c.h, ' ', type);
  near(got.out, expected.out, unit, name);
  near(got.lse, expected.lse, unit, name + " log-sum");
  for (size_t i : {0, 1, 2}) near(d[i], d_expected[i], unit, concat(name, " gradient ", i));
  const auto again = gpu_attend_gradient(by, got, there(d_out));
  expect(again[0].equal(d[0]) && again[1].equal(d[1]) && again[2].equal(d[2]),
         name + " gradient twice, equal bits");
}

const std::vector<Architecture> kModels{{.family = Family::kLlada,
                                         .vocabulary = 300,
                                         .width = 128,
                                         .layers = 3,
                                         .heads = 4,
                                         .kv_heads = 4,
                                         .mlp_width = 344,
                                         .max_length = 512,
                                         .rope_theta = 500000,
                                         .norm_epsilon = 1e-5},
                                        {.family = Family::kDream,
                                         .vocabulary = 300,
                                         .width = 128,
                                         .layers = 3,
                                         .heads = 4,
                                         .kv_heads = 2,
                                         .mlp_width = 344,
                                         .max_length = 512,
                                         .rope_theta = 1e6,
                                         .norm_epsilon = 1e-6,
                                         .qkv_bias = true,
                                         .wide_rope = false,
                                         .shifted = true}};

/// On `device` and in `type`, with an adapter on every matrix.
Transformer make_model(const Architecture& a, at::Device device, at::ScalarType type, bool graphs) {
  const auto on = at::TensorOptions(device).dtype(type);
  TensorMap weights = init_weights(a, {3});
  for (auto& [name, weight] : weights) weight = weight.to(on);
  Adapter adapter;
  for (int64_t layer = 0; layer < a.layers; ++layer)
    for (Role role : kRoles) {
      const auto [out, in] = matrix_shape(a, role);
      const std::string name = matrix_name(a, layer, role);
      adapter.modules[name] = {.A = (noise({8, in}, name + "A") / 16).to(device).requires_grad_(),
                               .B = (noise({out, 8}, name + "B") / 16).to(device).requires_grad_()};
    }
  const Vocabulary vocabulary{.size = 300, .mask_id = 299, .eos_id = 298, .pad_id = 298};
  return {{a, vocabulary, {}},
          std::move(weights),
          {.device = device, .dtype = type, .graphs = graphs, .augment = device.is_cuda()},
          std::move(adapter)};
}

/// Ragged, of three sequences.
Packed canvas(int64_t V, std::string_view name, at::Device device) {
  const Tensor tokens = ((noise({150}, name) + 2) * 70).to(at::kLong).remainder(V - 2);
  return {tokens.to(device), {40, 77, 33}};
}

void check_model(const Architecture& a, at::ScalarType type) {
  struct Result {
    Tensor log_p;
    std::vector<Tensor> gradients;
  };
  auto compute = [&](at::Device device, at::ScalarType of) {
    const Transformer model = make_model(a, device, of, /*graphs=*/false);
    const Packed x = canvas(a.vocabulary, "tokens", device);
    const Rows rows{at::arange(1, 150, 3).to(device), {13, 26, 11}};
    const Tensor log_p =
        log_prob(model.encode(x, rows), model.head(), x.tokens.index_select(0, rows.index));
    std::vector<Tensor> parameters;
    for (const auto& [_, parameter] : model.trainable()) parameters.push_back(parameter);
    return Result{log_p, torch::autograd::grad({log_p.sum()}, parameters)};
  };
  const Result expected = compute(at::kCPU, at::kFloat), got = compute(at::kCUDA, type);
  const double bound = type == at::kFloat ? 1e-3 : 6e-2;
  const std::string name = concat(to_text(a.family), ' ', type);
  near(got.log_p, expected.log_p, bound, name + " log-probabilities");
  double worst = 0;
  for (size_t i = 0; i < got.gradients.size(); ++i) {
    const Tensor d = got.gradients[i].cpu() - expected.gradients[i];
    worst = std::max(worst, (d.norm() / expected.gradients[i].norm()).item<double>());
  }
  expect(worst <= 2 * bound, concat(name, " gradients: ", worst, ", at most ", 2 * bound));
}

void check_sampler(const Architecture& a, at::ScalarType type) {
  std::vector<Key> keys;
  for (uint64_t b = 0; b < 3; ++b) keys.push_back(Key{1}.fork("rollout", b));
  for (bool graphs : {false, true}) {
    const Transformer model = make_model(a, at::kCUDA, type, graphs);
    for (double temperature : {0.0, 0.8})
      for (auto remasking : {Remasking::kLowConfidence, Remasking::kRandom})
        for (const char* name : {"first", "second"}) {
          const SamplerOptions o{.gen_length = 24,
                                 .block_length = 8,
                                 .steps = 12,
                                 .temperature = temperature,
                                 .remasking = remasking};
          const Packed prompts = canvas(a.vocabulary, name, at::kCUDA);
          const Samples here = sample(model, prompts, o, keys);
          // With a watcher the host decides.
          const Samples host = sample(model, prompts, o, keys, [](const StepView&) {});
          expect(here.sequences.tokens.equal(host.sequences.tokens) && here.step.equal(host.step),
                 concat("samples of ", to_text(a.family), ' ', type, ", temperature ", temperature,
                        ", ", to_text(remasking), ", ", name, " batch",
                        model.recordings() ? ", recorded" : ""));
        }
  }
}

void run() {
  open_compute({.device = DeviceChoice::kCuda}, 4096);  // loads libtorch's CUDA half
  const std::vector<Case> cases{{4, 4, 64, {40, 77, 33}, {40, 77, 33}},
                                {8, 2, 128, {3, 0, 7}, {190, 41, 300}},
                                {6, 2, 20, {1, 1, 1}, {64, 1, 129}},
                                {2, 1, 264, {5, 2}, {9, 2}}};
  const std::array types{at::kFloat, at::kBFloat16};
  {
    const at::NoGradGuard no_grad;
    for (const Case& c : cases)
      for (at::ScalarType type : types) check_attention(c, type);
  }
  for (const Architecture& a : kModels)
    for (at::ScalarType type : types) {
      check_model(a, type);
      check_sampler(a, type);
    }
}

}  // namespace

int main() {
  try {
    if (!uses_gpu({.device = DeviceChoice::kCuda})) {
      std::fprintf(stderr, "gpu_check: no GPU, or no libtorch for it\n");
      return 77;
    }
    run();
  } catch (const c10::Error& error) {
    std::fprintf(stderr, "gpu_check: %s\n", error.what_without_backtrace());
    return 2;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "gpu_check: %s\n", error.what());
    return 2;
  }
  return failures > 0;
}
