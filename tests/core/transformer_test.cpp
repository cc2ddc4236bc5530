#include "gdsd/denoiser/transformer.h"

#include <c10/core/GradMode.h>
#include <gtest/gtest.h>

#include "gdsd/denoiser/lora.h"
#include "gdsd/masking/scores.h"
#include "tests/core/kernel_fixture.h"

namespace gdsd {
namespace {

/// Three sequences of 5, 9 and 3 tokens.
Packed ragged() { return {random_tokens(17, kTinyVocabulary.size, "ragged"), {5, 9, 3}}; }

Rows rows_of(const std::vector<int64_t>& index, std::vector<int64_t> counts) {
  return {to_tensor(index), std::move(counts)};
}

TEST(Transformer, DoesNotDependOnTheBatch) {
  const Transformer model = tiny_llada();
  const Packed x = ragged();
  const auto at = x.offsets();
  const Tensor together = model.encode(x, all_rows(x));
  EXPECT_EQ(together.sizes(), at::IntArrayRef({17, 16}));
  for (int64_t b = 0; b < x.size(); ++b) {
    const Packed alone = slice(x, b, b + 1);
    expect_same(model.encode(alone, all_rows(alone)), together.slice(0, at[b], at[b + 1]), 1e-5);
  }
  // Neighbours of one length are attended to as one batch: they must not see one another either.
  const Packed equal{x.tokens.slice(0, 0, 16), {8, 8}};
  const Packed second{x.tokens.slice(0, 8, 16), {8}};
  expect_same(model.encode(equal, all_rows(equal)).slice(0, 8),
              model.encode(second, all_rows(second)), 1e-5);
}

TEST(Transformer, AttendsInBothDirections) {
  const Transformer model = tiny_llada();
  Packed x{random_tokens(6, kTinyVocabulary.size, "x"), {6}};
  const Tensor before = model.encode(x, all_rows(x));
  for (int64_t changed : {0, 5}) {
    Packed y{x.tokens.clone(), x.lengths};
    y.tokens[changed] = (y.tokens[changed] + 1) % kTinyVocabulary.size;
    const Tensor shift = (model.encode(y, all_rows(y)) - before).abs().amax(-1);
    EXPECT_GE(shift.min().item<double>(), 1e-4) << changed;
  }
}

// Equal counts take the path with few queries, unequal ones that with all of them.
TEST(Transformer, AnswersForSomeRowsWhatItAnswersForAll) {
  const Transformer model = tiny_llada();
  const Packed x = ragged();
  const Tensor all = model.encode(x, all_rows(x));
  for (const Rows& rows : {rows_of({1, 4, 7, 12, 14, 16}, {2, 2, 2}), rows_of({3}, {1, 0, 0}),
                           rows_of({0, 1, 13, 15, 16}, {2, 1, 2}), rows_of({}, {0, 0, 0})})
    expect_same(model.encode(x, rows), all.index_select(0, rows.index), 1e-5);
}

TEST(Transformer, SharesKeysAndValuesAmongQueryHeads) {
  LladaConfig grouped = tiny_config(), full = tiny_config();
  grouped.n_kv_heads = 2;
  TensorMap weights = init_weights(tiny_model_config(grouped).architecture, {5}),
            repeated = weights;
  for (auto& [name, tensor] : repeated)  // [2 h, D] → [4 h, D]: heads 0 0 1 1
    if (name.find("k_proj") != std::string::npos || name.find("v_proj") != std::string::npos)
      tensor = tensor.view({2, 1, 4, 16}).expand({2, 2, 4, 16}).reshape({16, 16});
  const Packed x = ragged();
  const Transformer few(tiny_model_config(grouped), weights, Compute{});
  const Transformer many(tiny_model_config(full), repeated, Compute{});
  EXPECT_LE(max_difference(few.encode(x, all_rows(x)), many.encode(x, all_rows(x))), 1e-5);
}

TEST(Transformer, TiesItsHeadToTheEmbeddingWhenAsked) {
  LladaConfig config = tiny_config();
  config.weight_tying = true;
  const Transformer model = tiny_llada(config);
  EXPECT_FALSE(model.parameters().contains("model.transformer.ff_out.weight"));
  EXPECT_TRUE(model.head().equal(model.parameters().at("model.transformer.wte.weight")));
}

TEST(Transformer, InBfloat16IsCloseToFloat32) {
  const Packed x = ragged();
  const Transformer narrow = tiny_llada(tiny_config(), at::kFloat, at::kBFloat16),
                    wide = tiny_llada();
  const Tensor got = narrow.encode(x, all_rows(x)), expected = wide.encode(x, all_rows(x));
  EXPECT_EQ(got.scalar_type(), at::kBFloat16);
  EXPECT_EQ(narrow.head().scalar_type(), at::kBFloat16);
  // States are normalised; bfloat16 has 8 bits of mantissa.
  EXPECT_LE(max_difference(got, expected), 0.1);
  EXPECT_LE((got - expected).abs().mean().item<double>(), 0.015);
  EXPECT_GE(max_difference(got, expected), 1e-4);  // it did compute in bfloat16
}

// All the way through log_probs, so that scoring and training are covered by the same test.
TEST(Transformer, HasTheGradientOfItsValue) {
  LladaConfig config = tiny_config();
  config.n_kv_heads = 2;
  const Transformer model = tiny_llada(config, at::kDouble, at::kDouble);
  const Packed x{random_tokens(14, kTinyVocabulary.size, "x"), {6, 8}};
  const Views views = mask({x, 4, std::vector<int64_t>(x.size(), 4), {}}, {.views = 2}, 2, {1});
  const Tensor factor = random_tensor({2, 2, 4}, "factor");
  auto value = [&] { return (log_probs(model, views) * factor).sum(); };
  for (const auto& [name, tensor] : model.parameters()) Tensor(tensor).requires_grad_();
  value().backward();

  const at::NoGradGuard no_grad;
  for (const auto& [name, tensor] : model.parameters()) {
    Tensor flat = tensor.view(-1);
    for (int64_t n = 0; n < flat.numel(); n += 1 + flat.numel() / 5) {
      const double w = flat[n].item<double>(), step = 1e-5;
      flat[n] = w + step;
      const double up = value().item<double>();
      flat[n] = w - step;
      const double down = value().item<double>();
      flat[n] = w;
      EXPECT_NEAR(tensor.grad().view(-1)[n].item<double>(), (up - down) / (2 * step), 1e-7)
          << name << " " << n;
    }
  }
}

/// A Dream with two heads of keys for four queries, and biases that are not zero.
Transformer tiny_dream() {
  const DreamConfig config{.hidden_size = 16,
                           .num_hidden_layers = 2,
                           .num_attention_heads = 4,
                           .num_key_value_heads = 2,
                           .intermediate_size = 24,
                           .max_position_embeddings = 64};
  ModelConfig made = tiny_model_config(config);
  TensorMap weights = init_weights(made.architecture, {4});
  for (auto& [name, tensor] : weights)
    if (name.ends_with(".bias"))
      tensor = (random_tensor(tensor.sizes(), name) - 0.5).to(at::kFloat);
  return {std::move(made), std::move(weights), Compute{}};
}

// The state before a token predicts it; the first of a sequence predicts itself.
TEST(Transformer, OfDreamIsShiftedByOneTokenWithinEachSequence) {
  const Transformer model = tiny_dream();
  const Packed x = ragged();  // 5, 9 and 3 tokens
  const Tensor states = model.states(x, all_rows(x));
  const Rows rows = rows_of({0, 1, 4, 5, 13, 14, 15}, {3, 2, 2});
  const Tensor before = at::tensor({0, 0, 3, 5, 12, 14, 14}, at::kLong);
  EXPECT_LE(max_difference(model.encode(x, rows), states.index_select(0, before)), 1e-5);
}

struct Checkpointed {
  bool dream;
  at::ScalarType products;
  bool lora;
};

/// All weights are trained, or an adapter alone whose base, the input of the first layer with it,
/// is frozen and in the type of the products.
Transformer trained(const Checkpointed& c, bool checkpointing) {
  const Transformer model = c.dream ? tiny_dream() : tiny_llada();
  TensorMap weights = model.parameters();
  Adapter adapter;
  LoraOptions lora;
  lora.rank = 2;
  if (c.lora) adapter = new_adapter(model.architecture(), lora, "base", {7});
  for (auto& [name, part] : adapter.modules) {
    part.A.requires_grad_();
    part.B = (random_tensor(part.B.sizes(), name) - 0.5).to(at::kFloat).requires_grad_();
  }
  for (auto& [name, tensor] : weights)
    tensor = c.lora ? tensor.to(c.products) : tensor.detach().requires_grad_();
  return {model.config(), std::move(weights),
          Compute{.dtype = c.products, .activation_checkpointing = checkpointing},
          std::move(adapter)};
}

// A whole backward pass of log_probs, kept and recomputed.
TEST(Transformer, WithActivationCheckpointingHasTheSameBits) {
  const Packed x{random_tokens(14, kTinyVocabulary.size, "x"), {6, 8}};
  const Views views = mask({x, 4, std::vector<int64_t>(x.size(), 4), {}}, {.views = 2}, 2, {1});
  const Tensor factor = random_tensor({2, 2, 4}, "factor").to(at::kFloat);
  for (bool dream : {false, true}) {
    for (at::ScalarType products : {at::kFloat, at::kBFloat16}) {
      for (bool lora : {false, true}) {
        SCOPED_TRACE(concat(dream ? "Dream " : "LLaDA ", products, lora ? " LoRA" : " full"));
        const Checkpointed c{dream, products, lora};
        const Transformer plain = trained(c, false), again = trained(c, /*checkpointing=*/true);
        std::vector<Tensor> values;
        for (const Transformer* model : {&plain, &again}) {
          values.push_back(log_probs(*model, views));
          (values.back() * factor).sum().backward();
        }
        EXPECT_TRUE(values[0].equal(values[1]));
        const TensorMap kept = plain.trainable(), computed_again = again.trainable();
        EXPECT_EQ(kept.size(), lora ? 2 * 2 * 7 : plain.parameters().size());
        for (const auto& [name, tensor] : kept) {
          ASSERT_TRUE(computed_again.at(name).grad().defined()) << name;
          EXPECT_TRUE(tensor.grad().equal(computed_again.at(name).grad())) << name;
        }
      }
    }
  }
}

TEST(InitWeights, IsAFunctionOfItsKey) {
  const Architecture tiny = tiny_model_config().architecture;
  const TensorMap a = init_weights(tiny, {1}), b = init_weights(tiny, {1}),
                  c = init_weights(tiny, {2});
  for (const auto& [name, tensor] : a) {
    EXPECT_TRUE(tensor.equal(b.at(name))) << name;
    EXPECT_EQ(tensor.equal(c.at(name)), tensor.dim() == 1) << name;
  }
}

// Matrices uniform in ±1/√inputs, whose standard deviation is 1/√(3 inputs); the embedding standard
// normal. 16 384 numbers or more: a standard deviation is known to 1 %.
TEST(InitWeights, DrawsNumbersOfTheSizeItSays) {
  const LladaConfig config{
      .d_model = 128, .n_layers = 2, .n_heads = 2, .n_kv_heads = 2, .mlp_hidden_size = 256};
  const TensorMap weights =
      init_weights(make_model_config(config, {.size = 200}).architecture, {1});
  auto weight = [&](const std::string& name) {
    return weights.at("model.transformer." + name + ".weight");
  };
  auto deviation = [&](const std::string& name) {
    EXPECT_NEAR(weight(name).mean().item<double>(), 0, 0.03 * weight(name).std().item<double>());
    return weight(name).std().item<double>();
  };
  for (const char* name : {"blocks.0.q_proj", "blocks.1.attn_out", "blocks.1.ff_proj", "ff_out"}) {
    EXPECT_NEAR(deviation(name) * std::sqrt(3 * 128.0), 1, 0.03) << name;
    EXPECT_LE(weight(name).abs().max().item<double>() * std::sqrt(128.0), 1.0001) << name;
  }
  EXPECT_NEAR(deviation("blocks.1.ff_out") * std::sqrt(3 * 256.0), 1, 0.03);
  EXPECT_NEAR(deviation("wte"), 1, 0.03);
  EXPECT_GE(weight("wte").abs().max().item<double>(), 3);
  EXPECT_TRUE(weight("ln_f").equal(at::ones({128})));
}

}  // namespace
}  // namespace gdsd
