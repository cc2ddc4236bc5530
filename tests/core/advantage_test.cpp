#include "gdsd/advantage/advantage.h"

#include <gtest/gtest.h>

#include "tests/core/table_denoiser.h"

namespace gdsd {
namespace {

const std::vector<double> kRewards{1, 0, 0.5, 0.25, 2, 2, 2, 2};  // two groups of four

Tensor advantages(AdvantageOptions options) { return advantage(kRewards, 4, options); }

TEST(Advantage, LeaveOneOutIsTheMeanBaselineScaled) {
  const Tensor r = to_tensor(kRewards).view({2, 4}), centred = r - r.mean(1, true);
  EXPECT_LE(max_difference(advantages({.baseline = Baseline::kLeaveOneOut, .scale = Scale::kNone}),
                           (4.0 / 3.0 * centred).flatten()),
            1e-15);
  EXPECT_LE(max_difference(advantages({.baseline = Baseline::kMean, .scale = Scale::kNone}),
                           centred.flatten()),
            1e-15);
}

TEST(Advantage, IsRewardMinusTheMeanOfTheOthers) {
  const Tensor a = advantages({});
  EXPECT_DOUBLE_EQ(a[0].item<double>(), 1 - 0.25);  // 0, 0.5 and 0.25 are the others
  EXPECT_DOUBLE_EQ(a[1].item<double>(), 0 - 1.75 / 3);
}

TEST(Advantage, IsDividedByTheStandardDeviation) {
  const Tensor r = to_tensor(kRewards).view({2, 4}), centred = r - r.mean(1, true);
  EXPECT_LE(max_difference(advantages({.baseline = Baseline::kMean, .scale = Scale::kStd}),
                           (centred / (r.std(1, true, true) + 1e-4)).flatten()),
            1e-14);
  const Tensor population =
      advantages({.baseline = Baseline::kMean, .scale = Scale::kPopulationStd});
  EXPECT_LE(max_difference(population.slice(0, 0, 4), centred[0] / r[0].std(false)), 1e-14);
}

TEST(Advantage, OfEqualRewardsIsZero) {
  for (auto baseline : {Baseline::kLeaveOneOut, Baseline::kMean})
    for (auto scale : {Scale::kNone, Scale::kStd, Scale::kPopulationStd})
      for (int64_t G : {2, 3, 4, 8}) {
        // 0.1 is no binary fraction: the mean of eight of them is another number.
        const std::vector<double> equal(G, 0.1);
        EXPECT_TRUE(advantage(equal, G, {.baseline = baseline, .scale = scale})
                        .equal(at::zeros({G}, at::kDouble)))
            << G;
      }
}

// wd1: G (softmax(A) − softmax(−A)) of each group, whatever the baseline.
TEST(SoftmaxAdvantage, IsTheContrastOfTwoSoftmaxes) {
  const Tensor r = to_tensor(kRewards).view({2, 4});
  const AdvantageOptions o{.contrast = Contrast::kSoftmax, .alpha = 0.5};
  EXPECT_LE(max_difference(advantages(o).view({2, 4}),
                           4 * ((r / 0.5).softmax(1) - (-r / 0.5).softmax(1))),
            1e-14);
}

TEST(SoftmaxAdvantage, OfEqualRewardsIsZeroExactly) {
  const AdvantageOptions o{.contrast = Contrast::kSoftmax};
  EXPECT_TRUE(advantages(o).slice(0, 4).equal(at::zeros({4}, at::kDouble)));
}

TEST(SoftmaxAdvantage, CanSpanTheStep) {
  const Tensor r = to_tensor(kRewards).view({2, 4}), a = (r - r.mean(1, true)).flatten();
  const AdvantageOptions o{.contrast = Contrast::kSoftmax, .softmax_over = SoftmaxOver::kStep};
  EXPECT_LE(max_difference(advantages(o), 8 * (a.softmax(0) - (-a).softmax(0))), 1e-14);
}

// DMPO: the weights are those of π_ref exp(r/α) against π_old.
TEST(SoftmaxAdvantage, LeansTowardsTheReference) {
  const Tensor rho = random_tensor({8}, "rho"), r = to_tensor(kRewards);
  AdvantageOptions o{
      .contrast = Contrast::kSoftmax, .reference = true, .centring = Centring::kNone};
  EXPECT_LE(max_difference(advantage(kRewards, 4, o, {.reference = rho}).view({2, 4}),
                           4 * (rho + r).view({2, 4}).softmax(1)),
            1e-14);
  EXPECT_THROW(advantages(o), Error);  // without the ratio
}

TEST(SoftmaxAdvantage, TakesTheCentreAskedFor) {
  const Tensor r = to_tensor(kRewards).view({2, 4}), up = r.softmax(1);
  const Tensor now = random_tensor({8}, "now");
  auto with = [&](Centring centring, double strength) {
    const AdvantageOptions o{
        .contrast = Contrast::kSoftmax, .centring = centring, .centring_strength = strength};
    return advantage(kRewards, 4, o, {.current = now}).view({2, 4});
  };
  EXPECT_LE(max_difference(with(Centring::kMean, 1), 4 * (up - 0.25)), 1e-14);
  EXPECT_LE(max_difference(with(Centring::kNegative, 0.5), 4 * (up - 0.5 * (-r).softmax(1))),
            1e-14);
  EXPECT_LE(max_difference(with(Centring::kCurrent, 1), 4 * (up - now.view({2, 4}).softmax(1))),
            1e-14);
}

TEST(SoftmaxAdvantage, FitsTheEffectiveSampleSize) {
  const Tensor rewards = at::tensor({0.0, 1.0, 2.0, 3.0}, at::kDouble);
  for (double share : {0.6, 0.8, 0.95}) {
    const SoftmaxWeights w = softmax_weights(rewards, {}, {.target_ess = share});
    EXPECT_NEAR(effective_sample_size(w.positive) / 4, share, 1e-6);
  }
  EXPECT_NEAR(softmax_weights(rewards, {}, {.target_ess = 0.01}).coefficient, 0.99, 1e-9);
  EXPECT_NEAR(softmax_weights(rewards, {}, {.target_ess = 1}).coefficient, 0.01, 1e-9);
}

TEST(Advantage, CountsTheGroupsThatTeachNothing) {
  EXPECT_DOUBLE_EQ(zero_variance_groups(kRewards, 4), 0.5);
  EXPECT_DOUBLE_EQ(zero_variance_groups(kRewards, 2), 0.5);  // (2, 2) twice of four pairs
  EXPECT_DOUBLE_EQ(zero_variance_groups(kRewards, 8), 0);
}

TEST(Advantage, RefusesHalfAGroupAndAGroupOfOneWithoutOthers) {
  EXPECT_THROW(advantage(kRewards, 3, {}), Error);
  EXPECT_THROW(advantage(kRewards, 0, {}), Error);
  EXPECT_THROW(advantage(kRewards, 1, {}), Error);
  EXPECT_NO_THROW(advantage(kRewards, 1, {.baseline = Baseline::kMean}));
}

}  // namespace
}  // namespace gdsd
