// The kernels for CPUs of every instruction set that this one has, against formulas in float64 and
// against libtorch's operations.
#include <c10/core/GradMode.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include "gdsd/denoiser/fused_parts.h"
#include "gdsd/denoiser/lora.h"
#include "tests/core/kernel_fixture.h"

namespace gdsd {
namespace {

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
                                  {{129}, {200}, 1, 1, 16},
                                  {{70}, {70}, 1, 2, 80},
                                  {{9}, {70}, 1, 1, 128}};
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

// What is no number, or infinite, stays to be seen by the check of the loss.
TEST_P(Kernels, AttentionHidesNoBadNumber) {
  const std::vector<int64_t> lengths{40};
  for (at::ScalarType type : kTypes)
    for (double bad : {std::nan(""), HUGE_VAL, -HUGE_VAL}) {
      const Tensor q = noise({40, 16}, "q", type).abs(), k = noise({40, 16}, "k", type),
                   v = noise({40, 16}, "v", type);
      k[3][5] = bad;
      const AttendedBy by{q, k, v, lengths, lengths, 16};
      const Attended got = fused_attend(by);
      const bool all = std::isnan(bad) || bad > 0;  // a score of −∞ is a weight of 0
      EXPECT_EQ(all, got.out.isnan().all().item<bool>()) << bad;
      const auto [d_q, d_k, d_v] = fused_attend_gradient(by, got, v);
      EXPECT_FALSE(d_q.isfinite().all().item<bool>()) << bad;
      EXPECT_EQ(all, d_v.isnan().all().item<bool>()) << bad;
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
      const Tensor y = exact[0] * (exact[0].square().mean(-1, true) + 1e-5).rsqrt() * exact[1];
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

INSTANTIATE_TEST_SUITE_P(All, Kernels, kEveryInstructionSet,
                         [](const auto& kernels) { return to_text(kernels.param); });

}  // namespace
}  // namespace gdsd
