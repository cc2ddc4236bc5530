#include "gdsd/masking/scores.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "gdsd/base/random.h"
#include "tests/core/table_denoiser.h"

namespace gdsd {
namespace {

constexpr int64_t C = 4;

/// Four rollouts in two groups, with prompts of 2, 2, 5 and 5 tokens.
Completed rollouts() {
  return {{random_tokens(30, 8, "rollouts"), {6, 6, 9, 9}}, C, {4, 1, 3, 0}, {}};
}

/// B sequences of `length` tokens, all of them completion.
Completed blank(int64_t B, int64_t length) {
  return {{at::zeros({B * length}, at::kLong), std::vector<int64_t>(B, length)},
          length,
          std::vector<int64_t>(B, length),
          {}};
}

/// What the first passes hide of the completions, [K, B, C].
Tensor of_completions(const Views& v) {
  const int64_t K = v.weight.size(0), length = v.weight.size(2);
  const Tensor index = tail_rows(v.rollouts, length).flatten();
  return v.hidden.slice(0, 0, K).index_select(1, index).view({K, -1, length});
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
  const Views v = mask(rollouts(), {.views = 50}, 2, {1});
  EXPECT_TRUE(v.hidden.slice(0, 0, 50).sum(-1).equal(of_completions(v).sum({1, 2})));
  EXPECT_TRUE(of_completions(v).any().item<bool>());
}

/// The sequences of all passes, in order, that ask for something.
std::vector<std::pair<int64_t, int64_t>> shown(const Views& v) {
  std::vector<std::pair<int64_t, int64_t>> all;
  for (int64_t p = 0; p < v.asked.size(0); ++p)
    for (int64_t b = 0; b < v.asked.size(1); ++b)
      if (v.asked[p][b].any().item<bool>()) all.emplace_back(p, b);
  return all;
}

TEST(Mask, AsksForEveryCompletionTokenOnceInACoupledView) {
  const Views v = mask(rollouts(), {.views = 3}, 2, {1});
  EXPECT_TRUE((v.asked.slice(0, 0, 3).to(at::kLong) + v.asked.slice(0, 3).to(at::kLong))
                  .eq(1)
                  .all()
                  .item<bool>());
  EXPECT_TRUE((v.weight != 0).all().item<bool>());
  const Tensor index = tail_rows(v.rollouts, C).flatten();
  EXPECT_TRUE(v.hidden.index_select(1, index).view_as(v.asked).equal(v.asked));
}

TEST(LogProbs, ShowOnlySequencesThatAreAskedForSomething) {
  const Recorder denoiser;
  const Views v = mask(rollouts(), {.views = 9}, 2, {1});
  log_probs(denoiser, v);
  const auto all = shown(v);
  ASSERT_LT(all.size(), 18u * 4);  // some view hides nothing, or everything
  ASSERT_EQ(denoiser.seen.size(), std::ssize(all));
  const auto from = v.rollouts.offsets(), to = denoiser.seen.offsets();
  std::vector<int64_t> asked;
  for (size_t i = 0; i < all.size(); ++i) {
    const auto [p, b] = all[i];
    const Tensor x0 = v.rollouts.tokens.slice(0, from[b], from[b + 1]);
    const Tensor hidden = v.hidden[p].slice(0, from[b], from[b + 1]);
    const Tensor got = denoiser.seen.tokens.slice(0, to[i], to[i + 1]);
    EXPECT_TRUE(got.equal(at::where(hidden, denoiser.vocab.mask_id, x0))) << i;
    for (int64_t c : to_vector<int64_t>(v.asked[p][b].nonzero().squeeze(1)))
      asked.push_back(to[i + 1] - C + c);
    EXPECT_EQ(denoiser.asked.counts[i], v.asked[p][b].sum().item<int64_t>());
  }
  EXPECT_EQ(to_vector<int64_t>(denoiser.asked.index), asked);
}

TEST(LogProbs, AreZeroWhereNothingIsAsked) {
  const TableDenoiser denoiser;
  Views v = mask(rollouts(), {.coupled = false}, 2, {1});
  v.asked.zero_(), v.hidden.zero_();
  EXPECT_TRUE(log_probs(denoiser, v).equal(at::zeros({1, 4, C}, at::kDouble)));
}

TEST(Mask, AsksOnlyForHiddenTokensInASingleView) {
  const Views v = mask(rollouts(), {.coupled = false}, 2, {1});
  const Tensor log_p = log_probs(TableDenoiser(), v);
  EXPECT_TRUE((log_p != 0).equal(of_completions(v)));
  EXPECT_TRUE((v.weight != 0).equal(of_completions(v)));
}

TEST(Mask, StratifiesTheCountsOfAGroup) {
  const int64_t G = 5, length = 12;
  const Completed x = blank(2 * G, length);
  std::set<std::vector<int64_t>> seen;
  for (uint64_t seed = 0; seed < 300; ++seed) {
    const Views v = mask(x, {}, G, {seed});
    const Tensor counts = v.hidden[0].view({2, G, length}).sum(-1);
    for (int64_t g = 0; g < 2; ++g) seen.insert(to_vector<int64_t>(counts[g]));
  }
  std::set<std::vector<int64_t>> expected;  // one for every k, and no other
  for (int64_t k = 0; k <= length; ++k) expected.insert(mask_counts(length, G, k));
  EXPECT_EQ(seen, expected);
}

// Of a group of 8 the middle row falls between two counts: 17/2 from the first.
TEST(Mask, HidesEveryCountInEveryRowOfAGroup) {
  const int64_t G = 8, length = 16;
  const Completed x = blank(G, length);
  std::vector<std::map<int64_t, int>> seen(G);
  for (uint64_t seed = 0; seed < 1700; ++seed) {
    const Views v = mask(x, {.coupled = false}, G, {seed});
    const Tensor counts = v.hidden.view({G, length}).sum(-1);
    for (int64_t i = 0; i < G; ++i) ++seen[i][counts[i].item<int64_t>()];
  }
  for (const auto& row : seen) {
    EXPECT_EQ(row.size(), 17u);  // 0 … 16, each with chance 1/17
    for (const auto& [n, times] : row) EXPECT_NEAR(times, 100, 49) << n;  // 5 deviations
  }
}

TEST(Mask, HidesAtLeastWhatItIsTold) {
  const Completed x = blank(8, C);
  std::map<int64_t, int> seen;
  for (uint64_t seed = 0; seed < 500; ++seed) {
    const Views v = mask(x, {.coupled = false, .least = 1}, 1, {seed});
    for (int64_t n : to_vector<int64_t>(v.hidden.view({8, C}).sum(-1))) ++seen[n];
  }
  EXPECT_EQ(seen.size(), 4u);  // 1, 2, 3 and 4, each with chance 1/4
  for (const auto& [n, times] : seen) EXPECT_NEAR(times, 1000, 140) << n;  // 5 deviations
}

TEST(Mask, HidesEveryTokenEquallyOften) {
  const Completed x = blank(8, C);
  Tensor times = at::zeros({C}, at::kLong);
  for (uint64_t seed = 0; seed < 250; ++seed)
    times += mask(x, {}, 8, {seed}).hidden[0].view({8, C}).sum(0);
  EXPECT_LE(max_difference(times, at::full({C}, 1000)), 112)
      << times;  // half of 2000, 5 deviations
}

// Definitions: uniform 1, ELBO (C+1)/x, mean 1/x; halved when a pair of passes shares the work.
TEST(Mask, WeighsTokensAsDefined) {
  for (bool coupled : {true, false})
    for (auto weight : {TokenWeight::kUniform, TokenWeight::kElbo, TokenWeight::kMean}) {
      const Views v = mask(rollouts(), {.views = 20, .coupled = coupled, .weight = weight}, 2, {1});
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
  const Views a = mask(rollouts(), {.views = 9}, 2, {1}),
              b = mask(rollouts(), {.views = 9}, 2, {1}),
              c = mask(rollouts(), {.views = 9}, 2, {2});
  EXPECT_TRUE(a.hidden.equal(b.hidden));
  EXPECT_FALSE(a.hidden.equal(c.hidden));
  EXPECT_FALSE(a.hidden[0].equal(a.hidden[1]));
}

TEST(Mask, RefusesHalfAGroup) {
  EXPECT_THROW(mask(rollouts(), {}, 3, {1}), Error);
  EXPECT_THROW(mask(rollouts(), {.least = C + 1}, 2, {1}), Error);
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

/// Scores of one rollout under every subset of hidden tokens that `o` can draw.
std::map<std::vector<int64_t>, double> all_scores(const Completed& x0, const MaskingOptions& o,
                                                  size_t subsets) {
  const TableDenoiser denoiser;
  std::map<std::vector<int64_t>, double> scores;
  for (uint64_t seed = 0; scores.size() < subsets && seed < 10000; ++seed) {
    const Views v = mask(x0, o, 1, {seed});
    scores[to_vector<int64_t>(of_completions(v))] =
        (v.weight * log_probs(denoiser, v)).sum().item<double>();
  }
  EXPECT_EQ(scores.size(), subsets);
  return scores;
}

/// The mean of scores whose counts of hidden tokens are equally likely, `counts` of them.
double mean_of(const std::map<std::vector<int64_t>, double>& scores, int64_t counts) {
  constexpr std::array<double, C + 1> binomial{1, 4, 6, 4, 1};
  double mean = 0;
  for (const auto& [hidden, score] : scores)
    mean += score / (static_cast<double>(counts) *
                     binomial[std::accumulate(hidden.begin(), hidden.end(), int64_t{0})]);
  return mean;
}

// All 16 views of four tokens, each weighed by its chance 1 / ((C+1) binom(C, x)): the mean of the
// score is the ELBO exactly. Ou et al. 2025 (arXiv:2406.03736) for the identity.
TEST(Score, WithElboWeightsIsAnUnbiasedElbo) {
  const Completed x0{{random_tokens(2 + C, 8, "x0"), {2 + C}}, C, {C}, {}};
  const double exact = any_order_elbo(TableDenoiser(), x0.sequences);
  for (bool coupled : {true, false}) {
    const auto scores = all_scores(x0, {.coupled = coupled, .weight = TokenWeight::kElbo}, 16);
    EXPECT_NEAR(mean_of(scores, C + 1), exact, 1e-12);
  }
}

// x ~ U{1 … C} with C/x: the same ELBO from the 15 views that hide something.
TEST(Score, WithCountsFromOneIsAnUnbiasedElbo) {
  const Completed x0{{random_tokens(2 + C, 8, "x0"), {2 + C}}, C, {C}, {}};
  const double exact = any_order_elbo(TableDenoiser(), x0.sequences);
  for (auto weight : {TokenWeight::kCount, TokenWeight::kRate})
    for (auto pattern : {Pattern::kStratified, Pattern::kUniform}) {
      const auto scores =
          all_scores(x0, {.pattern = pattern, .coupled = false, .weight = weight, .least = 1}, 15);
      EXPECT_NEAR(mean_of(scores, C), exact, 1e-12);
    }
}

TEST(LogProbs, AreThoseOfTheDirectComputation) {
  const TableDenoiser denoiser;
  const Packed x0 = rollouts().sequences;
  const Views v = mask(rollouts(), {.views = 3}, 2, {1});
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
  const Views v = mask(rollouts(), {.views = 3}, 2, {1});
  const Tensor whole = log_probs(denoiser, v);
  for (auto [begin, end] : {std::pair{0, 1}, {1, 3}, {3, 4}, {0, 4}}) {
    const Views part = slice(v, begin, end);
    EXPECT_TRUE(log_probs(denoiser, part).equal(whole.slice(1, begin, end)));
    EXPECT_TRUE(part.weight.equal(v.weight.slice(1, begin, end)));
  }
}

}  // namespace
}  // namespace gdsd
