// The kernels for CPUs of every instruction set that this one has, against formulas in float64 and
// against libtorch's operations.
#include <c10/core/GradMode.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include "gdsd/denoiser/fused_parts.h"
#include "gdsd/denoiser/lora.h"
#include "gdsd/tensor/proposal.h"
#include "gdsd/tensor/vocabulary_head.h"
#include "tests/core/table_denoiser.h"
#include "tests/core/tiny_model.h"

namespace gdsd {
namespace {

constexpr std::array kTypes{at::kFloat, at::kBFloat16};

/// Runs with one choice of kernels, and puts back what was in use.
class Kernels : public testing::TestWithParam<KernelChoice> {
 protected:
  void SetUp() override {
    try {
      use_kernels(GetParam());
    } catch (const Error& error) {
      GTEST_SKIP() << error.what();
    }
  }
  void TearDown() override { use_kernels(before_); }

 private:
  KernelChoice before_ = kernels_in_use();
};

/// The largest error of x against what it should be, in units of the type's rounding of the largest
/// number, or of 0.1 if that is less: 2⁻²⁴ or 2⁻⁹ of it.
double error(const Tensor& x, const Tensor& expected) {
  const double unit = x.scalar_type() == at::kBFloat16 ? 0x1p-9 : 0x1p-24;
  return max_difference(x.detach(), expected.detach()) /
         (unit * std::max(0.1, expected.abs().max().item<double>()));
}

/// Numbers of mean 0 and variance 1 in a type.
Tensor noise(at::IntArrayRef sizes, std::string_view name, at::ScalarType type) {
  return ((random_tensor(sizes, name) - 0.5) * std::sqrt(12.0)).to(type);
}

std::vector<Tensor> wide(const std::vector<Tensor>& all) {
  std::vector<Tensor> out;
  for (const Tensor& x : all) out.push_back(x.to(at::kDouble).detach().requires_grad_());
  return out;
}

struct Shape {
  std::vector<int64_t> queries, keys;
  int64_t heads, group, h;
};

/// softmax(q kᵀ/√h) v by its definition, in float64: q [R, H h], k and v [N, H′ h].
Tensor attention_formula(const std::vector<Tensor>& qkv, const Shape& s) {
  std::vector<Tensor> out;
  int64_t q_at = 0, k_at = 0;
  for (size_t b = 0; b < s.keys.size(); ++b) {
    const int64_t n = s.queries[b], m = s.keys[b];
    std::vector<Tensor> heads;
    for (int64_t i = 0; i < s.heads * s.group; ++i) {
      auto cut = [&](const Tensor& x, int64_t at, int64_t rows, int64_t head) {
        return x.slice(0, at, at + rows).slice(1, head * s.h, (head + 1) * s.h);
      };
      const Tensor q = cut(qkv[0], q_at, n, i), k = cut(qkv[1], k_at, m, i / s.group),
                   v = cut(qkv[2], k_at, m, i / s.group);
      const Tensor scores = q.mm(k.t()) / std::sqrt(static_cast<double>(s.h));
      heads.push_back(scores.softmax(-1).mm(v));
    }
    out.push_back(at::cat(heads, 1));
    q_at += n, k_at += m;
  }
  return at::cat(out);
}

// Ragged, grouped, of odd widths, some sequences without queries, one that fills several blocks.
TEST_P(Kernels, AttentionIsItsFormula) {
  const std::vector<Shape> shapes{{{37, 1, 0, 5}, {53, 1, 4, 5}, 2, 1, 20},
                                  {{3, 18}, {131, 18}, 1, 3, 64},
                                  {{1}, {1}, 2, 2, 7},
                                  {{129}, {200}, 1, 1, 16}};
  for (at::ScalarType type : kTypes)
    for (const Shape& s : shapes) {
      int64_t R = 0, N = 0;
      for (size_t b = 0; b < s.keys.size(); ++b) R += s.queries[b], N += s.keys[b];
      const int64_t D = s.heads * s.h;
      const std::vector<Tensor> qkv{noise({R, s.group * D}, "q", type), noise({N, D}, "k", type),
                                    noise({N, D}, "v", type)};
      const Tensor d_out = noise({R, s.group * D}, "d", type);
      const AttendedBy by{qkv[0], qkv[1], qkv[2], s.queries, s.keys, s.h};
      const Attended got = fused_attend(by);
      const auto gradient = fused_attend_gradient(by, got, d_out);

      const auto exact = wide(qkv);
      const Tensor expected = attention_formula(exact, s);
      const auto wanted = torch::autograd::grad({expected}, exact, {d_out.to(at::kDouble)});
      const double bound = type == at::kFloat ? 40 : 6;
      EXPECT_LE(error(got.out, expected), bound / 2) << s.h;
      for (size_t i = 0; i < 3; ++i) EXPECT_LE(error(gradient[i], wanted[i]), bound) << s.h << i;
    }
}

TEST_P(Kernels, RmsNormIsItsFormula) {
  for (at::ScalarType type : kTypes)
    for (int64_t D : {5, 64, 100}) {
      const Tensor x = noise({9, D}, "x", type), w = noise({D}, "w", type),
                   d = noise({9, D}, "d", type), d_x = noise({9, D}, "s", type);
      const Tensor d_w = at::zeros({D});
      const Normed got = fused_norm(x, w, 1e-5);
      const Tensor gradient = fused_norm_gradient(x, w, got.inverse, d, d_x, d_w);
      const auto exact = wide({x, w});
      const Tensor y =
          exact[0] * (exact[0].square().mean(-1, true) + 1e-5).rsqrt() * exact[1];
      const auto wanted = torch::autograd::grad({y}, exact, {d.to(at::kDouble)});
      const double bound = type == at::kFloat ? 16 : 4;
      EXPECT_LE(error(got.y, y), bound);
      EXPECT_LE(error(gradient, wanted[0] + d_x), bound);
      EXPECT_LE(error(d_w.to(type), wanted[1]), bound);
    }
}

TEST_P(Kernels, SwigluIsItsFormula) {
  for (at::ScalarType type : kTypes)
    for (int64_t F : {3, 48, 101}) {
      const Tensor gate = noise({6, F}, "g", type) * 4, up = noise({6, F}, "u", type),
                   d = noise({6, F}, "d", type);
      const Tensor got = fused_swiglu(gate, up);
      const auto gradient = fused_swiglu_gradient(gate, up, d);
      const auto exact = wide({gate, up});
      const Tensor y = at::silu(exact[0]) * exact[1];
      const auto wanted = torch::autograd::grad({y}, exact, {d.to(at::kDouble)});
      const double bound = type == at::kFloat ? 16 : 4;
      EXPECT_LE(error(got, y), bound);
      for (size_t i = 0; i < 2; ++i) EXPECT_LE(error(gradient[i], wanted[i]), bound);
    }
}

TEST_P(Kernels, RotationIsLibtorchsAndTurnsBack) {
  const Packed x{at::zeros({16}, at::kLong), {5, 11}};
  for (at::ScalarType type : kTypes)
    for (at::ScalarType table : kTypes) {
      if (type == at::kFloat && table == at::kBFloat16) continue;
      const Rope rope = rope_tables(x, 12, 10000, table);
      const Tensor v = noise({16, 36}, "x", type), turned = v.clone();
      fused_rotate(turned, rope, 1);
      EXPECT_LE(error(turned, rotate(v.view({16, 3, 12}), rope).view({16, 36})), 2.1);
      fused_rotate(turned, rope, -1);
      EXPECT_LE(error(turned, v), table == at::kBFloat16 ? 8 : 4);
    }
}

/// Everything that a model answers and learns: states, then the gradients in the order of names.
std::vector<Tensor> answers(const Transformer& model, const Packed& x, const Rows& rows) {
  for (auto& [name, tensor] : model.parameters()) tensor.mutable_grad() = Tensor();
  const Tensor states = model.encode(x, rows);
  const Tensor weight = noise(states.sizes(), "weight", states.scalar_type());
  std::vector<Tensor> out{states.detach()}, wanted;
  for (const auto& [name, tensor] : model.trainable()) wanted.push_back(tensor);
  // The head has no part in states.
  for (const Tensor& g : torch::autograd::grad({(states * weight).sum()}, wanted, {}, {}, false,
                                               /*allow_unused=*/true))
    if (g.defined()) out.push_back(g);
  return out;
}

Transformer trained(const ArchitectureOptions& options, at::ScalarType products, bool lora,
                    bool checkpointing = false) {
  ModelConfig made = tiny_model_config(options);
  TensorMap weights = init_weights(made.architecture, {3});
  for (auto& [name, w] : weights) {
    if (name.ends_with(".bias")) w = noise(w.sizes(), name, at::kFloat);
    w.requires_grad_(!lora);
  }
  Adapter adapter;
  if (lora) adapter = new_adapter(made.architecture, {.rank = 3, .from = {}}, "", {5});
  for (auto& [name, part] : adapter.modules) {
    part.B = noise(part.B.sizes(), name, at::kFloat) * 0.1;
    part.A.requires_grad_();
    part.B.requires_grad_();
  }
  Compute compute{.dtype = products};
  compute.activation_checkpointing = checkpointing;
  return {std::move(made), std::move(weights), compute, std::move(adapter)};
}

std::vector<ArchitectureOptions> families() {
  LladaConfig grouped = tiny_config();
  grouped.n_kv_heads = 2;
  return {tiny_config(), grouped,
          DreamConfig{.hidden_size = 24,
                      .num_hidden_layers = 2,
                      .num_attention_heads = 4,
                      .num_key_value_heads = 2,
                      .intermediate_size = 20,
                      .max_position_embeddings = 64}};
}

TEST_P(Kernels, ABlockAnswersAndLearnsLikeLibtorchs) {
  const Packed x{random_tokens(17, kTinyVocabulary.size, "ragged"), {5, 9, 3}};
  for (const Rows& rows : {Rows{to_tensor<int64_t>({1, 4, 7, 12, 14, 16}), {2, 2, 2}},
                           Rows{to_tensor<int64_t>({0, 1, 13, 15, 16}), {2, 1, 2}}})
    for (const ArchitectureOptions& options : families())
      for (bool lora : {false, true})
        for (bool checkpointing : {false, true}) {
          const auto got = answers(trained(options, at::kFloat, lora, checkpointing), x, rows);
          use_kernels(KernelChoice::kOff);
          const auto plain = answers(trained(options, at::kFloat, lora, checkpointing), x, rows);
          use_kernels(GetParam());
          ASSERT_EQ(got.size(), plain.size());
          for (size_t i = 0; i < got.size(); ++i)
            EXPECT_LE(error(got[i], plain[i]), 300) << i << (lora ? " lora" : "");
        }
}

// Roundings differ from operation to operation: as far from float32 as libtorch's bfloat16, at most
// twice.
TEST_P(Kernels, InBfloat16ABlockIsAsNearToFloat32AsLibtorchs) {
  const Packed x{random_tokens(17, kTinyVocabulary.size, "ragged"), {5, 9, 3}};
  const Rows rows{to_tensor<int64_t>({1, 4, 7, 12, 14, 16}), {2, 2, 2}};
  for (const ArchitectureOptions& options : families())
    for (bool lora : {false, true}) {
      const auto got = answers(trained(options, at::kBFloat16, lora), x, rows);
      use_kernels(KernelChoice::kOff);
      const auto plain = answers(trained(options, at::kBFloat16, lora), x, rows);
      const auto exact = answers(trained(options, at::kFloat, lora), x, rows);
      use_kernels(GetParam());
      double ours = 0, theirs = 0;
      for (size_t i = 0; i < got.size(); ++i) {
        const double size = exact[i].norm().item<double>() + 1e-30;
        ours += (got[i].to(at::kFloat) - exact[i]).norm().item<double>() / size;
        theirs += (plain[i].to(at::kFloat) - exact[i]).norm().item<double>() / size;
      }
      EXPECT_LE(ours, 2 * theirs);
      EXPECT_GT(ours, 0);
    }
}

TEST_P(Kernels, LogProbIsItsFormula) {
  for (at::ScalarType type : kTypes)
    for (int64_t V : {1, 7, 64, 1003}) {
      const Tensor hidden = noise({11, 8}, "hidden", type), weight = noise({V, 8}, "weight", type);
      const Tensor target = random_tokens(11, V, "target"),
                   factor = noise({11}, "factor", at::kFloat);
      const std::vector<Tensor> given{hidden.clone().requires_grad_(),
                                      weight.clone().requires_grad_()};
      const Tensor got = log_prob(given[0], given[1], target, 3 * V);
      const auto d = torch::autograd::grad({got}, given, {factor});
      const auto exact = wide({hidden, weight});
      const Tensor plain =
          exact[0].mm(exact[1].t()).log_softmax(-1).gather(1, target.unsqueeze(1)).squeeze(1);
      const auto wanted = torch::autograd::grad({plain}, exact, {factor.to(at::kDouble)});
      if (V == 1) {
        EXPECT_LE(got.abs().max().item<double>(), 1e-6);
        continue;
      }
      // In bfloat16 logits are rounded: of a size of 8, to 2⁻⁶.
      EXPECT_LE(max_difference(got.detach(), plain.detach()), type == at::kFloat ? 2e-5 : 0.04);
      EXPECT_LE(error(d[0], wanted[0]), type == at::kFloat ? 100 : 12);
      EXPECT_LE(error(d[1], wanted[1]), type == at::kFloat ? 100 : 12);
    }
}

/// Proposals for rows of random states, from nearly certain to nearly even.
Proposal proposals_of(int64_t R, int64_t V, at::ScalarType type, const ProposalOptions& options) {
  const Tensor sharp = at::linspace(0.1, 6, R).unsqueeze(1).to(type);
  return propose(noise({R, 8}, "hidden", type) * sharp, noise({V, 8}, "weight", type), options,
                 rollout_keys(R));
}

// The same token, of the same noise in float64: E0. What is said of it differs by rounding.
TEST_P(Kernels, ProposeWhatLibtorchsOperationsPropose) {
  const std::vector<ProposalOptions> all{{.temperature = 1.0},
                                         {.temperature = 0.05},
                                         {.temperature = 3.0, .banned = {3}, .usable = 90},
                                         {.banned = {0, 5, 200}},
                                         {.banned = {1}, .usable = 40}};
  for (at::ScalarType type : kTypes)
    for (int64_t V : {97, 128, 1500})
      for (const ProposalOptions& options : all) {
        ProposalOptions within = options;
        std::erase_if(within.banned, [&](int64_t id) { return id >= V; });
        const Proposal got = proposals_of(300, V, type, within);
        use_kernels(KernelChoice::kOff);
        const Proposal plain = proposals_of(300, V, type, within);
        use_kernels(GetParam());
        // At temperature 0 and between, logits of the same product: there are no near ties.
        EXPECT_TRUE(got.token.equal(plain.token)) << V << " " << options.temperature;
        EXPECT_LE(max_difference(got.log_p, plain.log_p), 1e-5);
        EXPECT_LE(max_difference(got.entropy, plain.entropy), 1e-4);
        EXPECT_LE(max_difference(got.margin, plain.margin), 1e-5);
      }
}

INSTANTIATE_TEST_SUITE_P(All, Kernels,
                         testing::Values(KernelChoice::kPortable, KernelChoice::kAvx2,
                                         KernelChoice::kAvx512),
                         [](const auto& kernels) { return to_text(kernels.param); });

/// Four rollouts of two prompts: in the first step two sequences.
Samples sampled(const Transformer& model) {
  const std::vector<int64_t> tokens{3, 4, 5, 3, 4, 5, 6, 7, 6, 7};
  SamplerOptions o;
  o.gen_length = 12;
  o.block_length = 6;
  o.steps = 6;
  o.temperature = 1.0;
  return sample(model, {to_tensor(tokens), {3, 3, 2, 2}}, o, rollout_keys(4));
}

TEST(Reuse, OfEqualWorkChangesNoBit) {
  for (const ArchitectureOptions& options : families())
    for (at::ScalarType type : kTypes) {
      const ModelConfig made = tiny_model_config(options);
      const TensorMap weights = init_weights(made.architecture, {3});
      Compute compute{.dtype = type};
      const Transformer once(made, weights, compute);
      compute.reuse = false;
      const Transformer again(made, weights, compute);
      const c10::NoGradGuard no_grad;
      const Packed x{to_tensor<int64_t>({3, 4, 5, 6, 3, 4, 5, 6, 3, 4, 6, 6, 6, 6}), {4, 4, 2, 4}};
      for (const Rows& rows : {Rows{to_tensor<int64_t>({1, 2, 5, 6, 9, 10}), {2, 2, 1, 1}},
                               Rows{to_tensor<int64_t>({1, 2, 5, 7, 9, 10}), {2, 2, 1, 1}}})
        EXPECT_TRUE(once.encode(x, rows).equal(again.encode(x, rows)));
      const Samples a = sampled(once), b = sampled(again);
      EXPECT_TRUE(a.sequences.tokens.equal(b.sequences.tokens));
      EXPECT_TRUE(a.step.equal(b.step));
    }
}

}  // namespace
}  // namespace gdsd
