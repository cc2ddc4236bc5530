// A matrix and its adapter as one product, against float64 and against the two of them apart.
#include <c10/core/GradMode.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include "gdsd/denoiser/fused_linear.h"
#include "gdsd/denoiser/lora.h"
#include "gdsd/train/optimizer.h"
#include "tests/core/kernel_fixture.h"

namespace gdsd {
namespace {

/// q, k and v of a block of width D with adapters of several ranks, frozen in `type`.
Block random_block(int64_t D, at::ScalarType type, bool augmented) {
  Block block;
  for (Role role : {Role::kQ, Role::kK, Role::kV}) {
    Linear& linear = block.matrices[static_cast<size_t>(role)];
    const std::string name = to_text(role);
    const int64_t r = role == Role::kK ? 5 : 8;
    linear.weight = noise({D, D}, name, type) / std::sqrt(static_cast<double>(D));
    linear.adapter = {.A = noise({r, D}, name + "A", at::kFloat) / std::sqrt(D),
                      .B = noise({D, r}, name + "B", at::kFloat),
                      .scale = 0.25};
    if (role == Role::kV) linear.adapter = {};
    if (!augmented || !linear.adapter.A.defined()) continue;
    linear.augmented = std::make_shared<Augmented>(linear.weight, linear.adapter);
    linear.weight = linear.augmented->weight();
  }
  return block;
}

double rms(const Tensor& x) { return x.to(at::kDouble).square().mean().sqrt().item<double>(); }

// One rounding of the sum where there were two.
TEST(Augmented, IsAtLeastAsNearToFloat64) {
  const at::NoGradGuard no_grad;
  const int64_t D = 96;
  const std::vector<Role> roles{Role::kQ, Role::kK, Role::kV};
  for (at::ScalarType type : kTypes) {
    const Block apart = random_block(D, type, false), one = random_block(D, type, true);
    const FusedLinears two_products(apart, roles, type), one_product(one, roles, type);
    const Tensor x = noise({301, D}, "x", type), base = noise({301, D}, "base", type);
    const Tensor low = one_product.low(x);
    EXPECT_TRUE(low.equal(two_products.low(x)));
    for (size_t i = 0; i < roles.size(); ++i)
      for (const Tensor& y : {base, Tensor()}) {
        const Linear& linear = apart[roles[i]];
        Tensor exact = x.to(at::kDouble).mm(linear.weight.to(at::kDouble).t());
        if (y.defined()) exact += y.to(at::kDouble);
        if (linear.adapter.A.defined()) {
          const int64_t begin = i == 0 ? 0 : 8, r = linear.adapter.A.size(0);
          const Tensor B = (linear.adapter.B * linear.adapter.scale).to(type).to(at::kDouble);
          exact += low.slice(1, begin, begin + r).to(at::kDouble).mm(B.t());
        }
        const Tensor got = one_product.apply(i, x, low, y),
                     other = two_products.apply(i, x, low, y);
        const bool rounds = type == at::kBFloat16;
        EXPECT_LE(rms(got.to(at::kDouble) - exact),
                  (rounds ? 1.001 : 1.2) * rms(other.to(at::kDouble) - exact));
        EXPECT_LE(error(got, exact), rounds ? 2 : 8) << type << i;
        EXPECT_TRUE(!rounds || got.equal(other) == !linear.adapter.A.defined()) << i;
      }
  }
}

/// A tiny model, an adapter on every matrix.
Transformer adapted(at::ScalarType type, bool augment) {
  const ModelConfig config = tiny_model_config();
  TensorMap weights = init_weights(config.architecture, {3});
  for (auto& [_, weight] : weights) weight = weight.to(type);
  LoraOptions lora;
  lora.rank = 3;
  Adapter adapter = new_adapter(config.architecture, lora, "base", {7});
  for (auto& [name, part] : adapter.modules) {
    part.B = noise(part.B.sizes(), name, at::kFloat) / 8;
    part.A.requires_grad_(), part.B.requires_grad_();
  }
  return {config, std::move(weights), Compute{.dtype = type, .augment = augment},
          std::move(adapter)};
}

Tensor states_of(const Transformer& model) {
  const Packed x{random_tokens(14, kTinyVocabulary.size, "x"), {6, 8}};
  return model.states(x, all_rows(x));
}

/// The states of a model, and all gradients of their sum in a row.
std::array<Tensor, 2> work_of(const Transformer& model) {
  const Tensor states = states_of(model);
  states.sum().backward();
  std::vector<Tensor> gradients;
  for (const auto& [_, parameter] : model.trainable())
    gradients.push_back(parameter.grad().flatten());
  return {states.detach().to(at::kDouble), at::cat(gradients).to(at::kDouble)};
}

TEST(Augmented, ModelsAnswerAndLearnAsNearToFloat64) {
  const auto exact = work_of(adapted(at::kDouble, false));
  for (at::ScalarType type : kTypes) {
    const auto apart = work_of(adapted(type, false)), one = work_of(adapted(type, true));
    for (size_t i = 0; i < 2; ++i)
      EXPECT_LE(rms(one[i] - exact[i]), (type == at::kFloat ? 2 : 1.3) * rms(apart[i] - exact[i]))
          << type << i;
  }
}

// Weights lie once in memory, and the tensor that products read stays where it is.
TEST(Augmented, FollowsTheAdapterInPlace) {
  const Transformer one = adapted(at::kFloat, true);
  const std::string name = matrix_name(one.architecture(), 0, Role::kUp);
  const Tensor weight = one.parameters().at(name + ".weight");
  EXPECT_EQ(weight.stride(0), weight.size(1) + 3);
  EXPECT_TRUE(weight.equal(adapted(at::kFloat, false).parameters().at(name + ".weight")));
  const Tensor part = at::as_strided(weight, {weight.size(0), 3}, weight.strides(), weight.size(1));
  const LowRank& adapter = one.adapter().modules.at(name);
  EXPECT_TRUE(part.equal(adapter.B * adapter.scale));

  const Tensor before = states_of(one).detach();
  Optimizer optimizer(one.trainable(), {.lr = 0.1, .warmup = 0}, 10);
  states_of(one).sum().backward();
  optimizer.step(1);
  EXPECT_FALSE(part.equal(adapter.B * adapter.scale));
  one.refresh();
  EXPECT_TRUE(part.equal(adapter.B * adapter.scale));
  EXPECT_FALSE(states_of(one).equal(before));
  // Without the adapter the same memory; another adapter goes apart.
  EXPECT_EQ(one.with_adapter({}).parameters().at(name + ".weight").data_ptr(), weight.data_ptr());
  EXPECT_EQ(one.with_adapter(one.adapter()).parameters().at(name + ".weight").data_ptr(),
            weight.data_ptr());
  EXPECT_LE(error(states_of(one.with_adapter(one.adapter())), states_of(one)), 64);
}

}  // namespace
}  // namespace gdsd
