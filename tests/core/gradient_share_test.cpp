// Shares of the gradient and the clipped fraction, against what can be written down.
#include "gdsd/diagnose/gradient_share.h"

#include <gtest/gtest.h>

#include "tests/core/table_denoiser.h"

namespace gdsd {
namespace {

constexpr int64_t G = 4, C = 6, P = 3, R = 5;
const std::vector<int64_t> kEos{C, 2, 3, C};  // 3 + 2 of 24 tokens are after one

Completed rollouts() {
  Completed out;
  Tensor tokens = random_tokens(G * (P + C), 8, "rollouts").view({G, P + C});
  for (int64_t b = 0; b < G; ++b)
    if (kEos[b] < C) tokens[b].slice(0, P + kEos[b]).fill_(9);
  return complete(pack(tokens), tokens.slice(1, P), 9, at::arange(C).repeat({G, 1}));
}

/// Draws for a method, the new denoiser the same as the old.
std::vector<Draw> draws_of(const ObjectiveOptions& o, const Completed& x0) {
  TableDenoiser denoiser;
  denoiser.likely = 10;  // EOS as well
  std::vector<Draw> all;
  for (int64_t r = 0; r < R; ++r) {
    const Views views = mask(x0, masking(o), G, Key{}.fork("mask", r));
    const Tensor log_p = score_views(&denoiser, nullptr, views, G).batch.log_p_old;
    all.push_back({.views = views, .batch = {.log_p_old = log_p}, .log_p_new = log_p});
    all.back().batch.weight = views.weight;
    all.back().batch.completion = at::arange(C) <= to_tensor(x0.eos).unsqueeze(1);
    all.back().batch.advantage = at::tensor({1.0, -1.0, -1.0, 1.0}, at::kDouble);
  }
  return all;
}

LossFigures figures(const std::vector<Draw>& draws, const ObjectiveOptions& o) {
  return loss_figures(draws, masking(o).views, o, draws[0].batch.advantage);
}

/// The share of `x(draw)` [K, B, C] in tokens after EOS, over all draws.
double share_after_eos(const std::vector<Draw>& draws, auto&& x) {
  double after = 0, all = 0;
  for (const Draw& d : draws) {
    all += x(d).sum().template item<double>();
    after += (x(d) * d.batch.completion.logical_not()).sum().template item<double>();
  }
  return after / all;
}

Tensor one_less_p(const Draw& d) { return 1 - d.batch.log_p_old.exp(); }

// GDSD's weights are all alike, and with both passes every token is asked for once.
TEST(GradientShare, OfGdsdIsThatOfTheTokens) {
  const ObjectiveOptions o = GdsdOptions{};
  const auto draws = draws_of(o, rollouts());
  const LossFigures f = figures(draws, o);
  EXPECT_NEAR(f.old.loss_weight.after_eos, 5.0 / 24, 1e-9);
  for (int64_t i = 0; i < kBins; ++i)
    EXPECT_NEAR(f.old.loss_weight.by_count[i], f.tokens[i], 1e-9) << i;
  const double expected = share_after_eos(draws, one_less_p);
  EXPECT_NEAR(f.old.gradient.after_eos, expected, 1e-9);
  EXPECT_GT(std::abs(expected - 5.0 / 24), 0.01);  // what is certain weighs less
  EXPECT_EQ(f.clipped, 0);
}

// (C+1)/x: x as many as the pass hides that asks.
TEST(GradientShare, OfEspoHasTheWeightsOfTheElbo) {
  const ObjectiveOptions o = EspoOptions{};
  const auto draws = draws_of(o, rollouts());
  const LossFigures f = figures(draws, o);
  Tensor by_count = at::zeros({kBins}, at::kDouble);
  for (const Draw& d : draws)
    for (int64_t b = 0; b < G; ++b) {
      const int64_t x = d.views.hidden[0]
                            .slice(0, (b + 1) * (P + C) - C, (b + 1) * (P + C))
                            .sum()
                            .item<int64_t>();
      for (int64_t n : {x, C - x})  // n tokens of weight 1/n each
        if (n > 0) by_count[(n * kBins - 1) / C] += 1;
    }
  by_count /= by_count.sum().item<double>();
  for (int64_t i = 0; i < kBins; ++i)
    EXPECT_NEAR(f.old.loss_weight.by_count[i], by_count[i].item<double>(), 1e-9) << i;
  const auto by_hand = [](const Draw& d) { return d.views.weight * one_less_p(d); };
  EXPECT_NEAR(f.old.gradient.after_eos, share_after_eos(draws, by_hand), 1e-9);
}

TEST(GradientShare, IsNoneAfterTheEosWhereNothingIsAskedThere) {
  for (const ObjectiveOptions& o :
       {ObjectiveOptions{Wd1Options{}}, ObjectiveOptions{SpgOptions{}}}) {
    const LossFigures f = figures(draws_of(o, rollouts()), o);
    for (const Shares& s : {f.old.loss_weight, f.old.gradient}) {
      EXPECT_EQ(s.after_eos, 0);
      EXPECT_NEAR(to_tensor(s.by_count).sum().item<double>(), 1, 1e-9);
    }
  }
}

TEST(GradientShare, OfCentredLogitsIsTheLossWeight) {
  GdsdOptions o;
  o.masking.score = TokenScore::kCentredLogit;
  const LossFigures f = figures(draws_of(o, rollouts()), o);
  EXPECT_EQ(f.old.gradient.by_count, f.old.loss_weight.by_count);
}

// Every log p of the first two rollouts is one higher, so that Δ = ½: of the first that is where it
// is drawn to, and the window ends at log 1.02; the second is pulled back.
TEST(GradientShare, SaysWhatTheTrustRegionStops) {
  const ObjectiveOptions o = GdsdOptions{};
  auto draws = draws_of(o, rollouts());
  for (Draw& d : draws) {
    d.log_p_new = d.log_p_new.clone();
    d.log_p_new.slice(1, 0, 2) += 1;
  }
  const LossFigures f = figures(draws, o);
  EXPECT_NEAR(*f.clipped, 0.25, 1e-9);
  EXPECT_NEAR(f.old.loss_weight.after_eos, 5.0 / 24, 1e-9);  // as at the first inner step
  // At the new denoiser: 0 of the first, 3/2 of the second, 1 of the others, and of β KL.
  EXPECT_NEAR(f.present.loss_weight.after_eos, (1.5 * 3 + 2) / (6 * 3.5), 1e-3);
  EXPECT_FALSE(figures(draws_of(Wd1Options{}, rollouts()), Wd1Options{}).clipped);
}

}  // namespace
}  // namespace gdsd
