// How often a rollout of a real model changes with the batch it is sampled in. Products of other
// shapes round differently, and a rounding can decide a near tie: none of it may be systematic.
// None where the products are ours (makes_products). Others multiply in other orders: the bounds leave
// room.
// GDSD_NEAR_TIE_ROLLOUTS sets the number of rollouts; each test prints what it measured.
#include <gtest/gtest.h>

#include <cstdlib>

#include "gdsd/base/random.h"
#include "tests/core/kernel_fixture.h"

namespace gdsd {
namespace {

constexpr int64_t kBatch = 16, kCompletion = 16;
const SamplerOptions kOptions{
    .gen_length = kCompletion, .block_length = kCompletion, .steps = 8, .temperature = 1.0};

struct Rate {
  int64_t rollouts = 0, different = 0;
  double value() const { return static_cast<double>(different) / static_cast<double>(rollouts); }
};

/// Rollouts `begin` … `begin` + kBatch − 1, with prompts of 9 to 24 tokens.
void compare_batch(const Transformer& model, int64_t begin, Rate& rate) {
  Packed prompts;
  std::vector<Key> keys;
  for (int64_t b = begin; b < begin + kBatch; ++b) {
    keys.push_back(Key{11}.fork("rollout", b));
    prompts.lengths.push_back(9 + static_cast<int64_t>(below(keys.back(), 0, 16)));
  }
  prompts.tokens = random_tokens(prompts.offsets().back(), kTinyVocabulary.size, "prompts");
  const Samples together = sample(model, prompts, kOptions, keys);
  for (int64_t b = 0; b < kBatch; ++b) {
    const Samples alone =
        sample(model, slice(prompts, b, b + 1), kOptions, std::span(keys).subspan(b, 1));
    const bool equal = alone.sequences.tokens.equal(slice(together.sequences, b, b + 1).tokens) &&
                       alone.step[0].equal(together.step[b]);
    rate.rollouts += 1;
    rate.different += !equal;
  }
}

/// A fresh model of the embedded experiment's shape.
Rate measure(at::ScalarType products, int64_t rollouts) {
  const LladaConfig config{
      .d_model = 64, .n_layers = 4, .n_heads = 2, .n_kv_heads = 2, .mlp_hidden_size = 176};
  const Transformer model = tiny_llada(config, at::kFloat, products);
  Rate rate;
  for (int64_t begin = 0; begin < rollouts; begin += kBatch) compare_batch(model, begin, rate);
  std::cout << "[ MEASURED ] " << rate.different << " of " << rate.rollouts << " rollouts differ\n";
  return rate;
}

int64_t rollouts() {
  const char* text = std::getenv("GDSD_NEAR_TIE_ROLLOUTS");
  return text ? std::atoll(text) : 160;
}

/// Of rollouts that differ, where products of other heights round otherwise.
double bound(at::ScalarType type, double by_libtorch) {
  return rows_are_apart(type) ? 0 : by_libtorch;
}

TEST(NearTies, InFloat32AreRare) {
  EXPECT_LE(measure(at::kFloat, rollouts()).value(), bound(at::kFloat, 0.02));
}

TEST(NearTies, InBfloat16AreSeldom) {
  EXPECT_LE(measure(at::kBFloat16, rollouts()).value(), bound(at::kBFloat16, 0.1));
}

}  // namespace
}  // namespace gdsd
