#include "gdsd/tensor/vocabulary_head.h"

#include <c10/util/ThreadLocalDebugInfo.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "gdsd/tensor/proposal.h"
#include "tests/core/table_denoiser.h"

namespace gdsd {
namespace {

constexpr int64_t R = 7, D = 5, V = 11;

/// log softmax(h Wᵀ) at `target`, by its definition.
Tensor plain_log_prob(const Tensor& hidden, const Tensor& weight, const Tensor& target) {
  return hidden.matmul(weight.t()).log_softmax(-1).gather(1, target.unsqueeze(1)).squeeze(1);
}

struct Head {
  explicit Head(at::ScalarType type)
      : hidden((4 * random_tensor({R, D}, "hidden") - 2).to(type).requires_grad_()),
        weight((4 * random_tensor({V, D}, "weight") - 2).to(type).requires_grad_()),
        target(random_tokens(R, V, "target")),
        factor(random_tensor({R}, "factor").to(type)) {}
  Tensor hidden, weight, target, factor;
};

void expect_plain_formula(at::ScalarType type, int64_t tile, double tolerance) {
  const Head plain(type), tiled(type);
  const Tensor expected = plain_log_prob(plain.hidden, plain.weight, plain.target);
  const Tensor got = log_prob(tiled.hidden, tiled.weight, tiled.target, tile);
  EXPECT_LE(max_difference(got.detach(), expected.detach()), tolerance);
  (expected * plain.factor).sum().backward();
  (got * tiled.factor).sum().backward();
  EXPECT_LE(max_difference(tiled.hidden.grad(), plain.hidden.grad()), tolerance);
  EXPECT_LE(max_difference(tiled.weight.grad(), plain.weight.grad()), tolerance);
}

/// The largest single allocation made on the CPU while it lives.
class LargestAllocation {
 public:
  int64_t bytes() const { return info_->largest; }

 private:
  struct Info : c10::MemoryReportingInfoBase {
    void reportMemoryUsage(void*, int64_t size, size_t, size_t, c10::Device) override {
      largest = std::max(largest, size);
    }
    bool memoryProfilingEnabled() const override { return true; }
    int64_t largest = 0;
  };
  std::shared_ptr<Info> info_ = std::make_shared<Info>();
  c10::DebugInfoGuard guard_{c10::DebugInfoKind::PROFILER_STATE, info_};
};

// Tiles of 1, 1, 2, 3 (7 = 3 + 3 + 1) and all 7 rows.
constexpr std::array<int64_t, 5> kTiles{1, V, 2 * V, 3 * V + 5, kTile};

TEST(LogProb, IsThePlainFormulaAndHasItsGradients) {
  for (int64_t tile : kTiles) {
    SCOPED_TRACE(tile);
    expect_plain_formula(at::kDouble, tile, 1e-12);
    expect_plain_formula(at::kFloat, tile, 1e-5);
  }
}

TEST(LogProb, GivesGradientsOnlyToWhoeverWantsThem) {
  Head head(at::kDouble);
  head.weight = head.weight.detach();
  log_prob(head.hidden, head.weight, head.target, V).sum().backward();
  EXPECT_FALSE(head.weight.grad().defined());
  Head plain(at::kDouble);
  plain_log_prob(plain.hidden, plain.weight, plain.target).sum().backward();
  EXPECT_LE(max_difference(head.hidden.grad(), plain.hidden.grad()), 1e-12);
}

TEST(LogProb, OfNoRowsIsEmpty) {
  const Head head(at::kFloat);
  const Tensor none = head.hidden.slice(0, 0, 0), target = head.target.slice(0, 0, 0);
  const Tensor got = log_prob(none, head.weight, target);
  EXPECT_EQ(got.sizes(), at::IntArrayRef({0}));
  got.sum().backward();  // must not fail: a view may hide nothing
}

TEST(LogProb, NeverHoldsMoreLogitsThanATile) {
  const int64_t rows = 64, vocabulary = 1000, tile = 5000;
  const Tensor hidden = random_tensor({rows, 4}, "h").to(at::kFloat).requires_grad_();
  const Tensor weight = random_tensor({vocabulary, 4}, "w").to(at::kFloat).requires_grad_();
  const Tensor target = random_tokens(rows, vocabulary, "t");
  const LargestAllocation allocation;
  log_prob(hidden, weight, target, tile).sum().backward();
  EXPECT_LE(allocation.bytes(), tile * int64_t{sizeof(float)});
  EXPECT_GE(allocation.bytes(), tile);  // the measurement measures
}

TEST(Propose, NeverHoldsMoreLogitsThanATile) {
  const int64_t rows = 64, vocabulary = 1000, tile = 5000;
  const Tensor hidden = random_tensor({rows, 4}, "h").to(at::kFloat);
  const Tensor weight = random_tensor({vocabulary, 4}, "w").to(at::kFloat);
  const auto keys = rollout_keys(rows);
  const LargestAllocation allocation;
  propose(hidden, weight, {.temperature = 1.0}, keys, tile);
  EXPECT_LE(allocation.bytes(), tile * int64_t{sizeof(double)});  // the noise is float64
}

// Expected: softmax of the logits over the tokens that are not banned. 20 000 draws: a frequency's
// standard deviation is at most 0.0035.
TEST(Propose, SamplesTheSoftmaxAndNeverABannedToken) {
  const int64_t rows = 20000;
  const Tensor row = to_tensor(std::vector<double>{0, 1, 2, 3});
  const Tensor logits = row.expand({rows, 4}), head = at::eye(4, at::kDouble);
  const std::vector<int64_t> banned{3};
  for (double temperature : {1.0, 0.5}) {
    const Proposal x0 =
        propose(logits, head, {.temperature = temperature, .banned = banned}, rollout_keys(rows));
    const Tensor frequency = at::bincount(x0.token, {}, 4).to(at::kDouble) / rows;
    const Tensor p = (row.slice(0, 0, 3) / temperature).softmax(-1);
    EXPECT_LE(max_difference(frequency.slice(0, 0, 3), p), 0.0175) << frequency;
    EXPECT_EQ(frequency[3].item<double>(), 0);
    // What a proposal says about itself is without temperature, and with the banned.
    const Tensor log_p = row.log_softmax(-1);
    EXPECT_LE(max_difference(x0.log_p, log_p.index_select(0, x0.token)), 1e-12);
    EXPECT_LE(max_difference(x0.entropy, -(log_p.exp() * log_p).sum().expand({rows})), 1e-12);
    const double margin = (log_p[3].exp() - log_p[2].exp()).item<double>();
    EXPECT_LE(max_difference(x0.margin, at::full({rows}, margin, at::kDouble)), 1e-12);
  }
}

TEST(Propose, GreedilyTakesTheLowestIdOnTies) {
  const Tensor logits = at::tensor({1.0, 0.0, 4.0, 4.0, 0.0, 0.0, 0.0, 0.0}).view({2, 4});
  const std::vector<int64_t> banned{0};
  const Proposal x0 =
      propose(logits.to(at::kDouble), at::eye(4, at::kDouble), {.banned = banned}, rollout_keys(2));
  EXPECT_EQ(to_vector<int64_t>(x0.token), (std::vector<int64_t>{2, 1}));
  EXPECT_DOUBLE_EQ(x0.margin[0].item<double>(), 0);
}

TEST(Propose, DependsNeitherOnTheTileNorOnTheNeighbours) {
  const int64_t rows = 9;
  const Tensor logits = 3 * random_tensor({rows, V}, "logits"), head = at::eye(V, at::kDouble);
  const auto keys = rollout_keys(rows);
  const Proposal whole = propose(logits, head, {.temperature = 1.0}, keys);
  for (int64_t tile : kTiles)
    EXPECT_TRUE(propose(logits, head, {.temperature = 1.0}, keys, tile).token.equal(whole.token))
        << tile;
  for (int64_t r = 0; r < rows; ++r) {
    const Proposal alone = propose(logits.slice(0, r, r + 1), head, {.temperature = 1.0},
                                   std::span(keys).subspan(r, 1));
    EXPECT_TRUE(alone.token.equal(whole.token.slice(0, r, r + 1)));
    EXPECT_TRUE(alone.log_p.equal(whole.log_p.slice(0, r, r + 1)));
  }
}

TEST(Propose, OfNoRowsIsEmpty) {
  EXPECT_EQ(propose(at::zeros({0, 3}), at::eye(3), {.temperature = 1.0}, std::span<const Key>())
                .token.sizes(),
            at::IntArrayRef({0}));
}

TEST(Propose, RefusesAWrongNumberOfKeys) {
  EXPECT_THROW(propose(at::zeros({2, 3}), at::eye(3), {}, rollout_keys(1)), Error);
}

// What was measured of the released trainers' noise: a tail of many tokens that has probability
// 0.02 together, beside tokens of 0.90 and 0.08, is hardly ever drawn; the likeliest is, too often.
TEST(Propose, InBf16CompatHardlyDrawsTheTail) {
  constexpr int64_t rows = 3000, tail = 4096;
  const Tensor rare = at::full({tail}, 0.02 / tail), likely = at::tensor({0.90, 0.08});
  const Tensor logits = at::cat({likely, rare}).log().expand({rows, tail + 2}).to(at::kFloat);
  auto frequency = [&](Noise noise) {
    const Tensor token =
        propose(logits, at::eye(tail + 2), {.temperature = 1, .noise = noise}, rollout_keys(rows))
            .token;
    return std::array{(token == 0).to(at::kDouble).mean().item<double>(),
                      (token >= 2).to(at::kDouble).mean().item<double>()};
  };
  const auto exact = frequency(Noise::kExact), compat = frequency(Noise::kBf16Compat);
  EXPECT_NEAR(exact[0], 0.90, 0.028);  // 5 deviations
  EXPECT_NEAR(exact[1], 0.02, 0.013);
  EXPECT_GE(compat[0], 0.93);
  EXPECT_LE(compat[1], 0.003);
}

// 2^20 draws from each of two keys, of which 2^-12 are in the tail: 512, give or take 23.
TEST(UniformRest, IsOneMinusUniformAndFinelyResolvedWhereThatIsSmall) {
  const auto keys = rollout_keys(2);
  const Tensor rest = uniform_rest(keys, 1 << 20), u = uniform(keys, 1 << 20);
  EXPECT_LE(max_difference(rest, 1 - u), 0x1p-33);
  const Tensor small = rest < 0x1p-12, steps = rest * 0x1p33;
  EXPECT_TRUE((rest == 1 - u).logical_or(small).all().item<bool>());
  EXPECT_NEAR(small.sum().item<double>(), 512, 115);
  EXPECT_LE((steps == steps.floor()).masked_select(small).sum().item<int64_t>(), 1);
  // 2 / 2^32 of all are below the 32 bits' first step, and 2^-32 of these below this one's.
  EXPECT_GT(rest.min().item<double>(), 0);
}

// A token of probability 2^-40 beside one of nearly 1 wins if and only if its −log u is below
// 2^-40 of the other's, which 32 bits of u cannot say.
TEST(GumbelArgmax, TellsUnlikelyTokensApart) {
  const double p = 0x1p-40;
  const Tensor z = at::tensor({0.0, std::log(p)}, at::kDouble).expand({3, 2});
  const Tensor rest = at::tensor({0.5, 0.5 * p, 0.5, p, 0.5, 0.125 * p}, at::kDouble).view({3, 2});
  EXPECT_EQ(to_vector<int64_t>(gumbel_argmax(z, 1, rest)), (std::vector<int64_t>{1, 0, 1}));
}

TEST(Propose, NeverDrawsIdsThatTheTokenizerLacks) {
  const Tensor logits = at::arange(8, at::kFloat).expand({50, 8});
  const auto keys = rollout_keys(50);
  for (double temperature : {0.0, 5.0}) {
    const Proposal x0 =
        propose(logits, at::eye(8), {.temperature = temperature, .banned = {5}, .usable = 6}, keys);
    EXPECT_LE(x0.token.max().item<int64_t>(), 4) << temperature;
  }
  // Filters that leave only what is banned give way.
  const Proposal narrow = propose(logits, at::eye(8), {.top_k = 1, .banned = {7}}, keys);
  EXPECT_TRUE((narrow.token == 6).all().item<bool>());
}

}  // namespace
}  // namespace gdsd
