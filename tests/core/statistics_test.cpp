// How well a score stands for the truth: with and without the noise of its draws.
#include "gdsd/diagnose/statistics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tests/core/table_denoiser.h"

namespace gdsd {
namespace {

/// Standard normal numbers.
Tensor noise(at::IntArrayRef sizes, std::string_view name) {
  return M_SQRT2 * at::erfinv(2 * random_tensor(sizes, name) - 1);
}

/// R draws of a truth [B] over `slope`, with noise of standard deviation `sd`.
Tensor noisy(const Tensor& truth, double slope, double sd, int64_t R) {
  return truth / slope + sd * noise({R, truth.size(0)}, "noise");
}

TEST(Agreement, OfALine) {
  const Tensor x = random_tensor({12}, "x"), y = 2 * x + 1;
  const Agreement a = agreement(x.unsqueeze(0), y, 4);
  EXPECT_NEAR(a.correlation, 1, 1e-12);
  EXPECT_NEAR(a.within, 1, 1e-12);
  EXPECT_NEAR(a.slope, 2, 1e-12);
  EXPECT_NEAR(a.bias, -1 - x.mean().item<double>(), 1e-12);
  EXPECT_EQ(a.reliability, 1);
  EXPECT_TRUE(std::isnan(agreement(at::ones({1, 4}, at::kDouble), at::rand({4}), 2).slope));
}

TEST(Agreement, WithinGroupsLeavesOutTheirMeans) {
  const Tensor x = at::tensor({0.0, 1.0, 10.0, 11.0}, at::kDouble),
               y = at::tensor({1.0, 0.0, 11.0, 10.0}, at::kDouble);
  const Agreement a = agreement(x.unsqueeze(0), y, 2);
  EXPECT_GT(a.correlation, 0.9);
  EXPECT_NEAR(a.within, -1, 1e-12);
}

// The error of the bias is that of four groups, not of twelve rollouts.
TEST(Agreement, TakesGroupsAsIndependent) {
  const Tensor means = at::tensor({1.0, 2.0, 4.0, 9.0}, at::kDouble);
  const Tensor x = means.repeat_interleave(3);
  const Agreement a = agreement(x.unsqueeze(0), at::zeros_like(x), 3);
  EXPECT_NEAR(a.bias, 4, 1e-12);
  EXPECT_NEAR(a.error, means.std().item<double>() / 2, 1e-12);
  EXPECT_TRUE(std::isnan(agreement(x.unsqueeze(0), at::zeros_like(x), 12).error));
}

TEST(Agreement, IsFreeOfTheNoiseOfTheDraws) {
  constexpr int64_t kRollouts = 4000, G = 8;
  const Tensor group = 2 * noise({kRollouts / G}, "group").repeat_interleave(G);
  const Tensor truth = group + noise({kRollouts}, "truth");
  // A draw's noise of sd 2, over 4 draws 1: against 5/9 of signal, of which 1/9 within groups.
  const Agreement a = agreement(noisy(truth, 3, 1, 4), truth, G);
  EXPECT_NEAR(a.reliability, (5 / 9.0) / (5 / 9.0 + 0.25), 0.03);
  EXPECT_NEAR(a.reliability_within, (1 / 9.0) / (1 / 9.0 + 0.25), 0.05);
  EXPECT_NEAR(a.slope, 3, 0.12);  // 2.07 with the noise
  EXPECT_NEAR(a.correlation, 1, 0.03);
  EXPECT_NEAR(a.within, 1, 0.08);
  EXPECT_NEAR(spread(noisy(truth, 3, 1, 4)).sd, std::sqrt(5) / 3, 0.03);
}

TEST(Agreement, IsUndefinedWhereTheNoiseHidesTheSignal) {
  const Tensor truth = noise({4000}, "truth");
  const Agreement a = agreement(noisy(truth, 1, 8, 4), truth, 8);
  EXPECT_LT(a.reliability, kLeastReliability);
  for (double hidden : {a.correlation, a.within, a.slope}) EXPECT_TRUE(std::isnan(hidden));
  EXPECT_NEAR(a.bias, 0, 0.3);
  EXPECT_TRUE(std::isnan(spread(noisy(truth, 1, 8, 4)).sd));
}

// Draws that add up to nothing over each group have more noise within groups than 1 − sd²/R says.
TEST(Agreement, KnowsNoiseThatAGroupShares) {
  constexpr int64_t kRollouts = 4000, G = 2;
  const Tensor truth = noise({kRollouts}, "truth");
  const Tensor half = noise({4, kRollouts / G}, "half");
  const Tensor draws = truth + at::stack({half, -half}, 2).flatten(1);
  const Agreement a = agreement(draws, truth, G);
  EXPECT_NEAR(a.within, 1, 0.03);
  EXPECT_NEAR(a.correlation, 1, 0.03);
}

TEST(Agreement, LeavesOutWhatTheSamplerCannotMake) {
  const Tensor x = random_tensor({1, 12}, "x");
  const Tensor y = random_tensor({12}, "y");
  Tensor impossible = y.clone();
  impossible.slice(0, 4, 8).fill_(-std::numeric_limits<double>::infinity());
  const Agreement all = agreement(x, impossible, 4);
  const Agreement some = agreement(at::cat({x.slice(1, 0, 4), x.slice(1, 8)}, 1),
                                   at::cat({y.slice(0, 0, 4), y.slice(0, 8)}), 4);
  EXPECT_NEAR(all.correlation, some.correlation, 1e-12);
  EXPECT_NEAR(all.within, some.within, 1e-12);
  EXPECT_NEAR(all.slope, some.slope, 1e-12);
  EXPECT_NEAR(all.bias, some.bias, 1e-12);
  EXPECT_NEAR(all.error, some.error, 1e-12);
  EXPECT_TRUE(std::isnan(agreement(x, impossible.slice(0, 4, 5).expand({12}), 4).bias));
}

TEST(Statistics, VarianceOverDraws) {
  const Tensor x = at::tensor({1.0, 5.0, 3.0, 5.0}, at::kDouble).view({2, 2});  // two draws
  EXPECT_NEAR(variance_over_draws(x), 1, 1e-12);                                // 2 and 0
  EXPECT_EQ(variance_over_draws(x.slice(0, 0, 1)), 0);
}

// Normal noise of variance s² makes the mean ratio e^{s²/2} times too large.
TEST(RatioMeans, OverstateByTheNoise) {
  const Tensor d = 0.3 + 0.4 * noise({20000, 2, 3}, "d");
  const Tensor asked =
      at::tensor({1, 1, 0, 0, 0, 0}, at::kInt).to(at::kBool).view({1, 2, 3}).expand({20000, 2, 3});
  const RatioMeans m = ratio_means(d, asked);
  EXPECT_NEAR(m.mean_log[0].item<double>(), 0.3, 0.01);
  EXPECT_NEAR(m.log_mean[0].item<double>(), 0.3 + 0.08, 0.01);
  EXPECT_TRUE(std::isnan(m.log_mean[1].item<double>()));  // nothing asked for
  EXPECT_NEAR(finite_mean(m.log_mean - m.mean_log), 0.08, 0.01);
  // Of one draw: nothing.
  const RatioMeans one = ratio_means(d.slice(0, 0, 1), asked.slice(0, 0, 1));
  EXPECT_NEAR((one.log_mean - one.mean_log)[0].item<double>(), 0, 1e-12);
}

}  // namespace
}  // namespace gdsd
