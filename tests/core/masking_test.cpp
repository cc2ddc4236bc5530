#include "gdsd/masking/masking.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "gdsd/base/random.h"
#include "tests/core/table_denoiser.h"

namespace gdsd {
namespace {

constexpr int64_t C = 4;

/// Four rollouts in two groups, with prompts of 2, 2, 5 and 5 tokens.
Packed rollouts() { return {random_tokens(30, 8, "rollouts"), {6, 6, 9, 9}}; }

/// [K, N] bool → [K, B, C].
Tensor of_completions(const Views& v) {
  const Tensor index = tail_rows(v.rollouts, C).flatten();
  return v.hidden.index_select(1, index).view({v.hidden.size(0), -1, C});
}

/// log p of every token with the tokens `hidden` [N] replaced by masks, by its definition → [N].
Tensor direct_log_probs(const TableDenoiser& denoiser, const Packed& x0, const Tensor& hidden) {
  const Packed x{at::where(hidden, denoiser.vocab.mask_id, x0.tokens), x0.lengths};
  return denoiser.logits(x).log_softmax(-1).gather(1, x0.tokens.unsqueeze(1)).squeeze(1);
}

/// Remembers what it was asked.
struct Recorder : TableDenoiser {
  Tensor encode(const Packed& x, const Rows& rows) const override {
    seen = x;
    asked = rows;
    return TableDenoiser::encode(x, rows);
  }
  mutable Packed seen;
  mutable Rows asked;
};

TEST(Mask, HidesOnlyCompletionTokens) {
  const Views v = mask(rollouts(), C, {.views = 50}, 2, {1});
  EXPECT_TRUE(v.hidden.sum(-1).equal(of_completions(v).sum({1, 2})));
  EXPECT_TRUE(of_completions(v).any().item<bool>());
}

TEST(Mask, AsksForEveryCompletionTokenOnceInACoupledView) {
  const Recorder denoiser;
  const Packed x0 = rollouts();
  const int64_t N = x0.tokens.size(0), K = 3;
  log_probs(denoiser, mask(x0, C, {.views = K}, 2, {1}));
  const Tensor seen = denoiser.seen.tokens.view({2, K, N});  // both passes of every view
  const Tensor is_hidden = seen == denoiser.vocab.mask_id;
  Tensor completion = at::zeros({N}, at::kBool);
  completion.index_fill_(0, tail_rows(x0, C).flatten(), true);
  EXPECT_TRUE(is_hidden.sum(0).equal(completion.to(at::kLong).expand({K, N})));
  EXPECT_TRUE(at::where(is_hidden, x0.tokens, seen).equal(x0.tokens.expand({2, K, N})));
  // Asked is what is hidden, in order, with the right counts.
  EXPECT_TRUE(denoiser.asked.index.equal(is_hidden.flatten().nonzero().squeeze(1)));
  std::vector<int64_t> counts;
  const auto at = denoiser.seen.offsets();
  for (size_t b = 0; b + 1 < at.size(); ++b)
    counts.push_back(is_hidden.flatten().slice(0, at[b], at[b + 1]).sum().item<int64_t>());
  EXPECT_EQ(denoiser.asked.counts, counts);
}

TEST(Mask, AsksOnlyForHiddenTokensInASingleView) {
  const Recorder denoiser;
  const Views v = mask(rollouts(), C, {.coupled = false}, 2, {1});
  const Tensor log_p = log_probs(denoiser, v);
  EXPECT_TRUE((log_p != 0).equal(of_completions(v)));
  EXPECT_TRUE((v.weight != 0).equal(of_completions(v)));
  EXPECT_TRUE((denoiser.seen.tokens == denoiser.vocab.mask_id).equal(v.hidden[0]));
}

TEST(Mask, StratifiesTheCountsOfAGroup) {
  const int64_t G = 5, length = 12;
  const Packed x{at::zeros({2 * G * length}, at::kLong), std::vector<int64_t>(2 * G, length)};
  std::set<std::vector<int64_t>> seen;
  for (uint64_t seed = 0; seed < 300; ++seed) {
    const Views v = mask(x, length, {}, G, {seed});
    const Tensor counts = v.hidden.view({2, G, length}).sum(-1);
    for (int64_t g = 0; g < 2; ++g) seen.insert(to_vector<int64_t>(counts[g]));
  }
  std::set<std::vector<int64_t>> expected;  // one for every k, and no other
  for (int64_t k = 0; k <= length; ++k) expected.insert(mask_counts(length, G, k));
  EXPECT_EQ(seen, expected);
}

TEST(Mask, HidesAtLeastWhatItIsTold) {
  const Packed x{at::zeros({8 * C}, at::kLong), std::vector<int64_t>(8, C)};
  std::map<int64_t, int> seen;
  for (uint64_t seed = 0; seed < 500; ++seed) {
    const Views v = mask(x, C, {.coupled = false, .least = 1}, 1, {seed});
    for (int64_t n : to_vector<int64_t>(v.hidden.view({8, C}).sum(-1))) ++seen[n];
  }
  EXPECT_EQ(seen.size(), 4u);  // 1, 2, 3 and 4, each with chance 1/4
  for (const auto& [n, times] : seen) EXPECT_NEAR(times, 1000, 140) << n;  // 5 deviations
}

TEST(Mask, HidesEveryTokenEquallyOften) {
  const Packed x{at::zeros({8 * C}, at::kLong), std::vector<int64_t>(8, C)};
  Tensor times = at::zeros({C}, at::kLong);
  for (uint64_t seed = 0; seed < 250; ++seed)
    times += mask(x, C, {}, 8, {seed}).hidden.view({8, C}).sum(0);
  EXPECT_LE(max_difference(times, at::full({C}, 1000)), 112)
      << times;  // half of 2000, 5 deviations
}

// Definitions: uniform 1, ELBO (C+1)/x, mean 1/x; halved when a pair of passes shares the work.
TEST(Mask, WeighsTokensAsDefined) {
  for (bool coupled : {true, false})
    for (auto weight : {TokenWeight::kUniform, TokenWeight::kElbo, TokenWeight::kMean}) {
      const Views v =
          mask(rollouts(), C, {.views = 20, .coupled = coupled, .weight = weight}, 2, {1});
      const Tensor hidden = of_completions(v), x = hidden.sum(-1, true).to(at::kDouble);
      const Tensor together = at::where(hidden, x, C - x);  // hidden in the same pass, [K, B, C]
      Tensor expected = at::ones_like(together);
      if (weight == TokenWeight::kElbo) expected = (C + 1) / together;
      if (weight == TokenWeight::kMean) expected = 1 / together;
      expected = coupled ? expected / 2 : expected * hidden;
      EXPECT_LE(max_difference(v.weight, expected), 1e-15);
    }
}

TEST(Mask, IsAFunctionOfItsKey) {
  const Views a = mask(rollouts(), C, {.views = 9}, 2, {1}),
              b = mask(rollouts(), C, {.views = 9}, 2, {1}),
              c = mask(rollouts(), C, {.views = 9}, 2, {2});
  EXPECT_TRUE(a.hidden.equal(b.hidden));
  EXPECT_FALSE(a.hidden.equal(c.hidden));
  EXPECT_FALSE(a.hidden[0].equal(a.hidden[1]));
}

TEST(Mask, RefusesHalfAGroup) {
  EXPECT_THROW(mask(rollouts(), C, {}, 3, {1}), Error);
  EXPECT_THROW(mask(rollouts(), C, {.least = C + 1}, 2, {1}), Error);
}

/// Mean over all orders σ of Σ_i log p(x0_σ(i) | the prompt, x0_σ(1) … x0_σ(i−1)): what the ELBO of
/// an any-order model is.
double any_order_elbo(const TableDenoiser& denoiser, const Packed& x0) {
  const int64_t P = x0.lengths[0] - C;
  std::array<int64_t, C> order{0, 1, 2, 3};
  double sum = 0;
  int64_t orders = 0;
  do {
    Tensor hidden = at::zeros({P + C}, at::kBool);
    hidden.slice(0, P).fill_(true);
    for (int64_t i : order) {
      sum += direct_log_probs(denoiser, x0, hidden)[P + i].item<double>();
      hidden[P + i] = false;
    }
    ++orders;
  } while (std::next_permutation(order.begin(), order.end()));
  EXPECT_EQ(orders, 24);
  return sum / static_cast<double>(orders);
}

// All 16 views of four tokens, each weighed by its chance 1 / ((C+1) binom(C, x)): the mean of the
// score is the ELBO exactly. Ou et al. 2025 (arXiv:2406.03736) for the identity.
TEST(Score, WithElboWeightsIsAnUnbiasedElbo) {
  const TableDenoiser denoiser;
  const Packed x0{random_tokens(2 + C, 8, "x0"), {2 + C}};
  const double exact = any_order_elbo(denoiser, x0);
  for (bool coupled : {true, false}) {
    std::map<std::vector<int64_t>, double> scores;  // of every subset
    for (uint64_t seed = 0; scores.size() < 16 && seed < 10000; ++seed) {
      const Views v = mask(x0, C, {.coupled = coupled, .weight = TokenWeight::kElbo}, 1, {seed});
      scores[to_vector<int64_t>(of_completions(v))] =
          (v.weight * log_probs(denoiser, v)).sum().item<double>();
    }
    ASSERT_EQ(scores.size(), 16u);
    double mean = 0;
    constexpr std::array<double, C + 1> binomial{1, 4, 6, 4, 1};
    for (const auto& [hidden, score] : scores)
      mean +=
          score / ((C + 1) * binomial[std::accumulate(hidden.begin(), hidden.end(), int64_t{0})]);
    EXPECT_NEAR(mean, exact, 1e-12);
  }
}

TEST(LogProbs, AreThoseOfTheDirectComputation) {
  const TableDenoiser denoiser;
  const Packed x0 = rollouts();
  const Views v = mask(x0, C, {.views = 3}, 2, {1});
  const Tensor got = log_probs(denoiser, v), index = tail_rows(x0, C).flatten();
  Tensor completion = at::zeros_like(v.hidden[0]);
  completion.index_fill_(0, index, true);
  for (int64_t k = 0; k < 3; ++k) {
    const Tensor first = direct_log_probs(denoiser, x0, v.hidden[k]);
    const Tensor second = direct_log_probs(denoiser, x0, completion.logical_and(~v.hidden[k]));
    const Tensor expected = at::where(v.hidden[k], first, second).index_select(0, index);
    EXPECT_LE(max_difference(got[k].flatten(), expected), 1e-12);
  }
}

TEST(LogProbs, OfSlicesAreThoseOfTheWhole) {
  const TableDenoiser denoiser;
  const Views v = mask(rollouts(), C, {.views = 3}, 2, {1});
  const Tensor whole = log_probs(denoiser, v);
  for (auto [begin, end] : {std::pair{0, 1}, {1, 3}, {3, 4}, {0, 4}}) {
    const Views part = slice(v, begin, end);
    EXPECT_TRUE(log_probs(denoiser, part).equal(whole.slice(1, begin, end)));
    EXPECT_TRUE(part.weight.equal(v.weight.slice(1, begin, end)));
  }
}

}  // namespace
}  // namespace gdsd
