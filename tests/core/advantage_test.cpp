#include "gdsd/advantage/advantage.h"

#include <gtest/gtest.h>

#include "tests/core/table_denoiser.h"

namespace gdsd {
namespace {

const std::vector<double> kRewards{1, 0, 0.5, 0.25, 2, 2, 2, 2};  // two groups of four

Tensor advantages(AdvantageOptions options) { return advantage(kRewards, 4, options); }

TEST(Advantage, LeaveOneOutIsTheMeanBaselineScaled) {
  const Tensor r = to_tensor(kRewards).view({2, 4}), centred = r - r.mean(1, true);
  EXPECT_LE(max_difference(advantages({Baseline::kLeaveOneOut, Scale::kNone}),
                           (4.0 / 3.0 * centred).flatten()),
            1e-15);
  EXPECT_LE(max_difference(advantages({Baseline::kMean, Scale::kNone}), centred.flatten()), 1e-15);
}

TEST(Advantage, IsRewardMinusTheMeanOfTheOthers) {
  const Tensor a = advantages({});
  EXPECT_DOUBLE_EQ(a[0].item<double>(), 1 - 0.25);  // 0, 0.5 and 0.25 are the others
  EXPECT_DOUBLE_EQ(a[1].item<double>(), 0 - 1.75 / 3);
}

TEST(Advantage, IsDividedByTheStandardDeviation) {
  const Tensor r = to_tensor(kRewards).view({2, 4}), centred = r - r.mean(1, true);
  EXPECT_LE(max_difference(advantages({Baseline::kMean, Scale::kStd}),
                           (centred / (r.std(1, true, true) + 1e-4)).flatten()),
            1e-14);
  const Tensor population = advantages({Baseline::kMean, Scale::kPopulationStd});
  EXPECT_LE(max_difference(population.slice(0, 0, 4), centred[0] / r[0].std(false)), 1e-14);
}

TEST(Advantage, OfEqualRewardsIsZero) {
  for (auto baseline : {Baseline::kLeaveOneOut, Baseline::kMean})
    for (auto scale : {Scale::kNone, Scale::kStd, Scale::kPopulationStd})
      for (int64_t G : {2, 3, 4, 8}) {
        // 0.1 is no binary fraction: the mean of eight of them is another number.
        const std::vector<double> equal(G, 0.1);
        EXPECT_TRUE(advantage(equal, G, {baseline, scale}).equal(at::zeros({G}, at::kDouble))) << G;
      }
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
