#include "gdsd/bench/bench.h"

#include <gtest/gtest.h>

#include "gdsd/bench/machine.h"
#include "gdsd/bench/work.h"
#include "gdsd/train/sampler_work.h"

namespace gdsd {
namespace {

constexpr double D = 8, F = 12, V = 20, n = 3, L = 10, r = 2;

Architecture small(int64_t layers) {
  return {
      .vocabulary = 20, .width = 8, .layers = layers, .heads = 2, .kv_heads = 2, .mlp_width = 12};
}

TEST(Flops, ABlockOfAllTokensAndOneOfThoseAskedFor) {
  const double R = 7, N = n * L, body = 2 * (4 * D * D + 3 * D * F), query = 4 * D * L;
  EXPECT_EQ(forward_flops(small(2), {n, L, R}),
            N * (body + query) + N * 4 * D * D + R * (body - 4 * D * D + query) + R * 2 * D * V);
}

TEST(Flops, AllWeightsTakeThreeForwardPassesAnAdapterAboutTwo) {
  const Asked asked{n, L, n * L};
  const double N = n * L;
  EXPECT_EQ(learning_flops(small(2), asked, {}), 3 * forward_flops(small(2), asked));
  const double attention = 2 * N * 4 * D * L, qkv = N * 6 * D * D, adapter = 2 * N * 6 * r * 2 * D;
  EXPECT_EQ(learning_flops(small(2), asked, {{Role::kQ, 2}}),
            2 * forward_flops(small(2), asked) + attention - qkv + adapter);
}

Tensor steps(const std::vector<int64_t>& values, int64_t B) {
  return to_tensor(values).view({B, -1});
}

// Blocks of 2 of 4 tokens; the second sequence is done with its first block a call sooner.
TEST(SamplerWork, OfASequenceUntilNothingOfABlockIsHidden) {
  const SamplerOptions o{.gen_length = 4, .block_length = 2, .threshold = 0.9};
  const SamplerWork work = sampler_work(steps({0, 1, 2, 3, 0, 0, 3, 2}, 2), o, 10);
  EXPECT_EQ(work.calls, 4);
  EXPECT_EQ(work.asked.sequences, 2 + 1 + 2 + 2);
  EXPECT_EQ(work.asked.tokens, 10 * work.asked.sequences);
  EXPECT_EQ(work.asked.rows, (1 + 2) + (1 + 1) + (1 + 2) + (2 + 1));
}

// As with compat.emit_mask: the first sequence's second token is kept as the mask, and again in the second
// block.
TEST(SamplerWork, ATokenKeptInALaterBlockAddsNoCallToItsOwn) {
  const SamplerOptions o{.gen_length = 4, .block_length = 2, .steps = 4};
  const SamplerWork work = sampler_work(steps({0, 2, 2, 3, 0, 1, 2, 3}, 2), o, 10);
  EXPECT_EQ(work.calls, 4);
  EXPECT_EQ(work.asked.sequences, 8);
}

TEST(SamplerWork, WithACacheOnlyTheWindowGoesThroughTheLayers) {
  SamplerOptions o{.gen_length = 8, .block_length = 4, .steps = 8};
  const Tensor one_each = steps({0, 1, 2, 3, 4, 5, 6, 7}, 1);
  o.cache = Cache::kPrefix;
  EXPECT_EQ(sampler_work(one_each, o, 10).asked.tokens, 10 + 3 * 8 + 10 + 3 * 4);
  o.cache = Cache::kDual;
  EXPECT_EQ(sampler_work(one_each, o, 10).asked.tokens, 2 * (10 + 3 * 4));
  o.cache_refresh = 2;
  EXPECT_EQ(sampler_work(one_each, o, 10).asked.tokens, 2 * (2 * 10 + 2 * 4));
  o.cfg_scale = 1;
  EXPECT_EQ(sampler_work(one_each, o, 10).asked.tokens, 4 * (2 * 10 + 2 * 4));
}

TEST(SamplerWork, StepsThatKeepNothingCallNobody) {
  SamplerOptions o{.gen_length = 4, .block_length = 0, .steps = 16};
  EXPECT_EQ(planned_work(o, 3, 10).calls, 4);
  EXPECT_EQ(planned_work(o, 3, 10).asked.sequences, 12);
  EXPECT_EQ(planned_work(o, 3, 10).asked.rows, 3 * (4 + 3 + 2 + 1));
  o.steps = 2;
  EXPECT_EQ(planned_work(o, 3, 10).asked.rows, 3 * (4 + 2));
  o.threshold = 0.9;
  EXPECT_EQ(planned_work(o, 3, 10).calls, 4);
}

TEST(Bench, CoupledViewsAreThoseOfTheMasking) {
  const int64_t B = 3, C = 6, K = 2;
  const Packed x{at::arange(B * 10), std::vector<int64_t>(B, 10)};
  const Views drawn = mask({x, C, std::vector<int64_t>(B, C), {}}, {.views = K}, B, Key{1});
  const Tensor masks = drawn.asked.slice(0, 0, K).reshape({K * B, C});
  const Views built = coupled_views(x, masks);
  EXPECT_TRUE(built.hidden.equal(drawn.hidden));
  EXPECT_TRUE(built.asked.equal(drawn.asked));
  EXPECT_TRUE(built.weight.equal(drawn.weight));
}

TEST(Bench, IdsAreThoseOfTheBaseline) {
  BenchOptions o;
  o.batch = 2, o.prompt = 2, o.sampler.gen_length = 1, o.sampler.block_length = 0;
  const Tensor ids = counted_ids(o, 100);
  EXPECT_EQ(to_vector<int64_t>(ids),
            (std::vector<int64_t>{17, (104729 + 17) % 98, (2 * 104729 + 17) % 98, (7919 + 17) % 98,
                                  (7919 + 104729 + 17) % 98, (7919 + 2 * 104729 + 17) % 98}));
}

TEST(Bench, AShapeIsADefaultOnly) {
  EXPECT_EQ(BenchOptions::of(BenchShape::kS).batch, BenchOptions{}.batch);
  EXPECT_EQ(BenchOptions::of(BenchShape::kM).lora.rank, 32);
  for (BenchShape shape : {BenchShape::kT, BenchShape::kS, BenchShape::kM})
    EXPECT_NO_THROW(BenchOptions::of(shape).validate());
}

TEST(Bench, ThePeakOfAMachineIsAboveZero) {
  EXPECT_GT(measure_peak({}, 0.01), 0);
  PeakMemory memory(at::kCPU);
  EXPECT_GT(memory.bytes(), 0);
}

}  // namespace
}  // namespace gdsd
