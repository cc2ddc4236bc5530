// The sampler's likelihood of a completion: it sums to one, it is what sample() does, and walks
// estimate it.
#include "gdsd/diagnose/likelihood.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/core/table_denoiser.h"
#include "tests/error_of.h"

namespace gdsd {
namespace {

constexpr int64_t kUsed = 3, C = 4;  // tokens 0, 1, 2 in completions of four

/// A table of three tokens, all of which are likely at times.
struct SmallTable : TableDenoiser {
  SmallTable() {
    vocab = {.size = 6, .mask_id = 5, .eos_id = 4, .pad_id = 3};
    likely = kUsed;
  }
  Tensor encode(const Packed& x, const Rows& rows) const override {
    return 0.4 * TableDenoiser::encode(x, rows);
  }
};

/// A denoiser whose answers depend on the position alone: logits [L, V] of every sequence.
struct IndependentDenoiser : TableDenoiser {
  Tensor table;

  explicit IndependentDenoiser(Tensor logits) : table(std::move(logits)) {
    vocab = {.size = table.size(1) + 1, .mask_id = table.size(1)};
    table = at::constant_pad_nd(table, {0, 1}, -1e9);
  }
  Tensor encode(const Packed& x, const Rows& rows) const override {
    return table.repeat({x.size(), 1}).index_select(0, rows.index);
  }
};

SamplerOptions sampler(int64_t block, double temperature = 1) {
  return {.gen_length = C, .block_length = block, .steps = 0, .temperature = temperature};
}

/// Every completion of n tokens out of V after one prompt.
Completed every_completion(const std::vector<int64_t>& prompt, int64_t V, int64_t n) {
  Completed out;
  out.length = n;
  std::vector<int64_t> tokens;
  const auto all = static_cast<int64_t>(std::llround(std::pow(V, n)));
  for (int64_t y = 0; y < all; ++y) {
    tokens.insert(tokens.end(), prompt.begin(), prompt.end());
    for (int64_t i = 0, rest = y; i < n; ++i, rest /= V) tokens.push_back(rest % V);
    out.sequences.lengths.push_back(std::ssize(prompt) + n);
    out.eos.push_back(n);
  }
  out.sequences.tokens = to_tensor(tokens);
  return out;
}

const std::vector<int64_t> kPrompt{2, 0, 1};

std::vector<SamplerOptions> samplers() {
  SamplerOptions proposal = sampler(4, 0.7), filtered = sampler(4);
  proposal.confidence_of = ConfidenceOf::kProposal;
  filtered.top_k = 2;
  return {sampler(4), sampler(2, 1.6), sampler(1), proposal, filtered};
}

TEST(Likelihood, OfAllCompletionsSumsToOne) {
  const SmallTable denoiser;
  const Completed all = every_completion(kPrompt, kUsed, C);
  for (const SamplerOptions& o : samplers()) {
    const Likelihoods l = likelihoods(denoiser, all, o, {}, Key{});
    EXPECT_TRUE(l.exact);
    EXPECT_NEAR(l.log_p.exp().sum().item<double>(), 1, 1e-12) << to_text(o.confidence_of);
    EXPECT_EQ(l.error.abs().max().item<double>(), 0);
  }
}

TEST(Likelihood, IsTheFrequencyOfSamples) {
  const SmallTable denoiser;
  const Completed all = every_completion(kPrompt, kUsed, C);
  constexpr int64_t kSamples = 4000;
  Packed prompts{to_tensor(kPrompt).repeat({kSamples}), std::vector<int64_t>(kSamples, 3)};
  const Tensor place = at::pow(kUsed, at::arange(C, at::kLong));
  for (const SamplerOptions& o : samplers()) {
    const Tensor p = likelihoods(denoiser, all, o, {}, Key{}).log_p.exp();
    const Samples s = sample(denoiser, prompts, o, rollout_keys(kSamples));
    const Tensor count =
        (completions(s.sequences, C) * place).sum(1).bincount({}, p.size(0)).to(at::kDouble);
    // The rare ones are counted as one.
    const Tensor rare = p * kSamples < 5;
    auto pooled = [&](const Tensor& x) {
      return at::cat({x.masked_select(rare.logical_not()), x.masked_select(rare).sum().view({1})});
    };
    const Tensor expected = pooled(p) * kSamples;
    const Tensor z = (pooled(count) - expected) / (expected + 1).sqrt();
    const auto n = static_cast<double>(z.numel());
    EXPECT_LT(z.abs().max().item<double>(), 4) << to_text(o.confidence_of) << o.block_length;
    EXPECT_LT(z.square().sum().item<double>(), n + 4 * std::sqrt(2 * n)) << o.block_length;
  }
}

TEST(Likelihood, IsEstimatedByWalksWithinTheirError) {
  const SmallTable denoiser;
  const Completed all = every_completion(kPrompt, kUsed, C);
  for (const SamplerOptions& o : {sampler(4), sampler(2, 1.6)}) {
    const Tensor exact = likelihoods(denoiser, all, o, {}, Key{}).log_p;
    const Likelihoods walks =
        likelihoods(denoiser, all, o, {.states = 0, .walks = 2000}, Key{}.fork("walks"));
    EXPECT_FALSE(walks.exact);
    // Completions that the sampler makes: of the others few walks find the orders that matter.
    const Tensor likely = exact > std::log(1e-3);
    const Tensor z = ((walks.log_p - exact) / walks.error.clamp_min(1e-6)).masked_select(likely);
    EXPECT_GT(z.numel(), 15);
    EXPECT_LT(z.abs().max().item<double>(), 4);
    EXPECT_NEAR(z.square().mean().item<double>(), 1, 0.6);  // neither too wide nor too narrow
    EXPECT_LT(walks.error.masked_select(likely).max().item<double>(), 0.1);
    // p(y) itself, not its logarithm, is what has no bias.
    EXPECT_NEAR(walks.log_p.exp().sum().item<double>(), 1, 0.02);
  }
}

// Two positions: p(y) = q_1(y_1) q_2(y_2) [P(c_2 ≤ c_1(y_1)) + P(c_1 < c_2(y_2))]. Some
// confidences tie: the left one is kept.
TEST(Likelihood, OfIndependentTokensIsTheClosedForm) {
  constexpr int64_t V = 4;
  const Tensor q =
      at::tensor({0.5, 0.25, 0.125, 0.125, 0.25, 0.25, 0.25, 0.25}, at::kDouble).view({2, V});
  const Tensor c = q.log().log_softmax(-1);
  ASSERT_EQ(c[0][1].item<double>(), c[1][0].item<double>());
  const IndependentDenoiser denoiser(q.log());
  SamplerOptions o = sampler(2);
  o.gen_length = 2;
  const Tensor got = likelihoods(denoiser, every_completion({}, V, 2), o, {}, Key{}).log_p.exp();
  Tensor expected = at::zeros_like(got);
  for (int64_t y = 0; y < V * V; ++y) {
    const int64_t y1 = y % V, y2 = y / V;
    const Tensor first = (q[1] * (c[1] <= c[0][y1])).sum(),
                 second = (q[0] * (c[0] < c[1][y2])).sum();
    expected[y] = q[0][y1] * q[1][y2] * (first + second);
  }
  EXPECT_LT(max_difference(got, expected), 1e-12);
  constexpr int64_t kSamples = 4000;
  const Samples s = sample(denoiser, {at::empty({0}, at::kLong), std::vector<int64_t>(kSamples, 0)},
                           o, rollout_keys(kSamples));
  const Tensor count = (completions(s.sequences, 2) * at::tensor({1, int(V)}, at::kLong))
                           .sum(1)
                           .bincount({}, V * V)
                           .to(at::kDouble);
  const Tensor z = (count - kSamples * expected) / (kSamples * expected + 1).sqrt();
  EXPECT_LT(z.abs().max().item<double>(), 4);
}

// All confidences tie: the leftmost token is kept, whatever it is.
TEST(Likelihood, OfUniformTokensIsThatOfAnyOrder) {
  const IndependentDenoiser denoiser(at::zeros({C, 5}, at::kDouble));
  const Completed all = every_completion({}, 5, C);
  const Tensor got = likelihoods(denoiser, all, sampler(C), {}, Key{}).log_p;
  EXPECT_NEAR((got + C * std::log(5.0)).abs().max().item<double>(), 0, 1e-12);
}

TEST(Likelihood, DoesNotDependOnTheBatch) {
  const SmallTable denoiser;
  const Completed all = every_completion(kPrompt, kUsed, C);
  const Completed two{
      .sequences = slice(all.sequences, 0, 2), .length = C, .eos = {C, C}, .step = {}};
  for (const LikelihoodOptions& o : {LikelihoodOptions{}, {.states = 0, .walks = 8}}) {
    const Tensor together = likelihoods(denoiser, all, sampler(4), o, Key{1}).log_p;
    const Tensor alone = likelihoods(denoiser, two, sampler(4), o, Key{1}).log_p;
    EXPECT_LT(max_difference(together.slice(0, 0, 2), alone), 1e-12);
  }
}

TEST(Likelihood, IsRefusedForOtherSamplers) {
  auto refused = [](const SamplerOptions& o) { return error_of([&] { check_has_likelihood(o); }); };
  SamplerOptions o = sampler(4);
  EXPECT_EQ(refused(o), "no error");
  o.steps = 2;
  EXPECT_NE(refused(o).find("steps is 2"), std::string::npos) << refused(o);
  o = sampler(4);
  o.remasking = Remasking::kRandom;
  EXPECT_NE(refused(o).find("remasking is random"), std::string::npos) << refused(o);
  o = sampler(4);
  o.cfg_scale = 1;
  EXPECT_NE(refused(o).find("cfg_scale is 1"), std::string::npos) << refused(o);
  EXPECT_NE(refused(sampler(4, 0)).find("temperature is 0"), std::string::npos);
}

}  // namespace
}  // namespace gdsd
