// What `gdsd diagnose` is made of: candidates, draws of masks and the noise of gradients.
#include "gdsd/diagnose/draws.h"

#include <gtest/gtest.h>

#include "gdsd/diagnose/candidates.h"
#include "gdsd/diagnose/gradient_noise.h"
#include "tests/core/table_denoiser.h"
#include "tests/core/tiny_model.h"
#include "tests/error_of.h"

namespace gdsd {
namespace {

constexpr int64_t B = 4, C = 6, L = 9;

Completed rollouts() {
  Completed out;
  out.sequences = pack(random_tokens(B * L, 8, "rollouts").view({B, L}) + 3);
  out.length = C;
  out.eos = {C, 2, C, 4};
  return out;
}

TEST(Draws, FirstViewsAreThoseOfADrawOfFewer) {
  for (Pattern pattern : {Pattern::kStratified, Pattern::kUniform, Pattern::kBernoulli,
                          Pattern::kFullAndPairs, Pattern::kRandom, Pattern::kBlockRandom}) {
    MaskingOptions o{.pattern = pattern, .views = 5, .coupled = false, .block_length = 2};
    for (bool coupled : {false, pattern <= Pattern::kBernoulli}) {
      o.coupled = coupled;
      o.views = 5;
      const Views some = first_views(mask(rollouts(), o, B, Key{1}), 2);
      o.views = 2;
      const Views two = mask(rollouts(), o, B, Key{1});
      EXPECT_TRUE(some.hidden.equal(two.hidden)) << to_text(pattern);
      EXPECT_TRUE(some.asked.equal(two.asked));
      EXPECT_TRUE(some.weight.equal(two.weight));
    }
  }
}

TEST(Draws, HiddenCountsAreThoseOfThePassThatAsks) {
  const Views views = mask(rollouts(), {.views = 3}, B, Key{2});
  const Tensor counts = hidden_counts(views);  // coupled: every token is asked for once
  EXPECT_TRUE((counts > 0).all().item<bool>());
  for (int64_t k = 0; k < 3; ++k)
    for (int64_t b = 0; b < B; ++b) {
      const auto row = to_vector<int64_t>(counts[k][b]);
      const int64_t x =
          views.hidden[k].slice(0, (b + 1) * L - C, (b + 1) * L).sum().item<int64_t>();
      EXPECT_EQ(std::count(row.begin(), row.end(), x), 2 * x == C ? C : x);
      EXPECT_EQ(std::count(row.begin(), row.end(), C - x), 2 * x == C ? C : C - x);
    }
}

TEST(Candidates, AreEveryMethodAndItsPreset) {
  std::vector<std::string> names;
  for (const Candidate& c : every_candidate()) {
    names.push_back(c.name);
    EXPECT_FALSE(own_candidate(c.objective)) << c.name;
  }
  auto has = [&](const char* name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  for (const char* name : {"gdsd", "gdsd_released", "spg_released", "coupled_grpo", "tracerl"})
    EXPECT_TRUE(has(name)) << name;
  EXPECT_FALSE(has("coupled_grpo_released"));  // it has none
  EXPECT_EQ(own_candidate(GdsdOptions{.psi = 3})->name, "gdsd*");
  EXPECT_EQ(candidates_called("wd1,espo")[1].name, "espo");
  EXPECT_NE(error_of([] { candidates_called("wd1,grpo"); }).find("got 'grpo', expected all"),
            std::string::npos);
}

Batch some_batch() {
  return {.log_p = -random_tensor({2, B, C}, "log_p"),
          .log_p_old = -random_tensor({2, B, C}, "log_p_old"),
          .log_p_ref = {},
          .weight = random_tensor({2, B, C}, "weight"),
          .completion = at::ones({B, C}, at::kBool),
          .advantage = at::ones({B}, at::kDouble),
          .elbo_old = {}};
}

TEST(Candidates, HaveTheScoreOfTheirLoss) {
  const Batch b = some_batch();
  const Tensor mean = (b.weight * b.log_p).sum(-1).mean(0);
  for (const char* name : {"gdsd", "gdsd_tlc", "espo", "wd1", "diffu_grpo", "coupled_grpo"})
    EXPECT_LT(max_difference(rollout_score(b, candidates_called(name)[0].objective), mean), 1e-12);
  EXPECT_LT(max_difference(rollout_score(b, DmpoOptions{}), C * mean), 1e-12);
  EXPECT_LT(max_difference(rollout_score(b, SpgOptions{}), C * mean), 1e-12);  // A > 0
  EXPECT_LT(max_difference(rollout_score(b, TraceRlOptions{}), b.log_p.sum(-1).sum(0)), 1e-12);
}

// With A = 1 and nothing clipped a loss is −Σ ρ.
TEST(Candidates, HaveTheRatiosOfTheirLoss) {
  Batch b = some_batch();
  b.weight.slice(2, 4).zero_();  // two tokens are not asked for
  for (const char* name : {"espo", "diffu_grpo", "coupled_grpo"}) {
    ObjectiveOptions o = candidates_called(name)[0].objective;
    std::visit(
        [](auto& options) {
          if constexpr (requires { options.epsilon_high; }) options.epsilon_high = 1e9;
          if constexpr (requires { options.beta; }) options.beta = 0;
        },
        o);
    const auto ratios = policy_ratios(b, o);
    ASSERT_TRUE(ratios) << name;
    EXPECT_NEAR(-loss(b, o).sum.item<double>(),
                (ratios->log.exp() * ratios->asked).sum().item<double>(), 1e-9)
        << name;
  }
  // A view a step: each token is asked for once.
  b.weight[0].slice(1, 0, 2).zero_();
  b.weight[1].slice(1, 2).zero_();
  b.log_p = b.log_p * (b.weight != 0), b.log_p_old = b.log_p_old * (b.weight != 0);
  const auto traced = policy_ratios(b, TraceRlOptions{});
  EXPECT_TRUE(traced->asked.equal(at::arange(C).lt(4).expand({B, C})));
  EXPECT_LT(max_difference(traced->log.select(1, 0), (b.log_p - b.log_p_old)[1].select(1, 0)),
            1e-12);
  for (const char* name : {"gdsd", "gdsd_tlc", "spg", "wd1", "dmpo"})
    EXPECT_FALSE(policy_ratios(b, candidates_called(name)[0].objective)) << name;
}

TEST(Candidates, AreDeterministicWhereNothingIsDrawn) {
  EXPECT_TRUE(is_deterministic({.pattern = Pattern::kFull}));
  EXPECT_TRUE(is_deterministic({.pattern = Pattern::kTrace}));
  EXPECT_FALSE(is_deterministic({.pattern = Pattern::kFull, .prompt_rate = 0.1}));
  EXPECT_FALSE(is_deterministic({.pattern = Pattern::kTrace, .prompt_rate = 0.1}));
  EXPECT_FALSE(is_deterministic({}));
}

std::vector<Draw> draws_of(const Transformer& denoiser, const ObjectiveOptions& o, int64_t R,
                           int64_t K) {
  std::vector<Draw> all;
  MaskingOptions masks = masking(o);
  masks.views = K;
  for (int64_t r = 0; r < R; ++r) {
    const Scored s =
        score_views(&denoiser, nullptr, mask(rollouts(), masks, B, Key{}.fork("mask", r)), B);
    all.push_back({.views = s.views, .batch = s.batch, .log_p_new = s.batch.log_p_old});
    all.back().batch.advantage = at::tensor({1.0, -1.0, 0.5, -0.5}, at::kFloat);
    all.back().batch.completion = at::ones({B, C}, at::kBool);
  }
  return all;
}

TEST(GradientNoise, IsTheSpreadOfGradients) {
  TensorMap weights = init_weights(tiny_model_config().architecture, Key{3});
  for (auto& [name, weight] : weights) weight.requires_grad_();
  const Transformer denoiser(tiny_model_config(), std::move(weights), Compute{});
  const ObjectiveOptions o = GdsdOptions{};
  auto draws = draws_of(denoiser, o, 12, 8);
  const double one = gradient_noise(denoiser, draws, 1, o, 64).noise;
  const double eight = gradient_noise(denoiser, draws, 8, o, 64).noise;
  EXPECT_GT(one, 0.05);
  EXPECT_LT(eight, 0.6 * one);  // √8 times less, roughly
  // In pieces the same, and no gradient is left behind.
  EXPECT_NEAR(gradient_noise(denoiser, draws, 1, o, 1).noise, one, 1e-3 * one);
  for (const auto& [name, weight] : denoiser.trainable()) EXPECT_FALSE(weight.grad().defined());
  // The same masks twice: none.
  const std::vector<Draw> same{draws[0], draws[0]};
  EXPECT_EQ(gradient_noise(denoiser, same, 1, o, 64).noise, 0);
}

}  // namespace
}  // namespace gdsd
