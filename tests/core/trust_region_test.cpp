// Where each trust region stops a rollout, and that `clipped` counts just those.
#include <gtest/gtest.h>

#include "gdsd/objective/objectives.h"
#include "tests/core/table_denoiser.h"

namespace gdsd {
namespace {

constexpr int64_t C = 4;
constexpr double kEpsilon = 0.1;

/// One view of one rollout whose score per token is Δ = `gap` above the old one.
struct Outcome {
  double slope = 0;  // dL/dΔ
  double clipped = 0;
};
Outcome outcome(const ObjectiveOptions& o, double gap, double advantage) {
  Batch b{.log_p = at::full({1, 1, C}, -1 + gap, at::kDouble).requires_grad_(),
          .log_p_old = at::full({1, 1, C}, -1.0, at::kDouble),
          .log_p_ref = {},
          .weight = at::ones({1, 1, C}, at::kDouble),
          .completion = at::ones({1, C}, at::kBool),
          .advantage = at::full({1}, advantage, at::kDouble)};
  const Loss l = loss(b, o);
  l.sum.backward();
  return {b.log_p.grad().sum().item<double>(), l.metrics.at("clipped").item<double>()};
}

ObjectiveOptions gdsd(GdsdClip clip) {
  return GdsdOptions{.beta = 0, .epsilon_low = kEpsilon, .epsilon_high = kEpsilon, .clip = clip};
}
ObjectiveOptions espo() {
  return EspoOptions{.beta = 0, .epsilon_low = kEpsilon, .epsilon_high = kEpsilon};
}

void expect_stopped(const Outcome& got) {
  EXPECT_EQ(got.slope, 0);
  EXPECT_EQ(got.clipped, 1);
}
void expect_slope(const Outcome& got, double slope) {
  EXPECT_NEAR(got.slope, slope, 1e-12);
  EXPECT_EQ(got.clipped, 0);
}

// ψ = 1: the target is Δ = A, the free slope 2 (Δ − A). The window is −0.105 … 0.095.
TEST(TrustRegion, OneSidedStopsOnlyWhatWouldGoFurtherOut) {
  const ObjectiveOptions o = gdsd(GdsdClip::kOneSided);
  expect_stopped(outcome(o, 0.2, 0.5));                   // above, and A wants it higher
  expect_stopped(outcome(o, -0.2, -0.5));                 // below, and A wants it lower
  expect_slope(outcome(o, 0.2, -0.5), 2 * (0.2 + 0.5));   // above, A wants it back
  expect_slope(outcome(o, -0.2, 0.5), 2 * (-0.2 - 0.5));  // below, A wants it back
  expect_slope(outcome(o, 0.2, 0.0), 2 * 0.2);            // nothing learnt: back to the old policy
  expect_slope(outcome(o, 0.05, 0.5), 2 * (0.05 - 0.5));  // inside
  expect_slope(outcome(o, -0.05, -0.5), 2 * (-0.05 + 0.5));
}

TEST(TrustRegion, TwoSidedStopsEverythingOutside) {
  for (double advantage : {-0.5, 0.0, 0.5})
    for (double gap : {-0.2, 0.2})
      expect_stopped(outcome(gdsd(GdsdClip::kTwoSided), gap, advantage));
  expect_slope(outcome(gdsd(GdsdClip::kTwoSided), 0.05, 0.5), 2 * (0.05 - 0.5));
}

TEST(TrustRegion, OfTheSumIsCTimesTighter) {
  const ObjectiveOptions o = gdsd(GdsdClip::kSum);
  expect_stopped(outcome(o, 0.05, 0.5));  // 4 · 0.05 > 0.095
  expect_slope(outcome(o, 0.02, 0.5), 2 * (0.02 - 0.5));
}

TEST(TrustRegion, NoneStopsNothing) {
  expect_slope(outcome(gdsd(GdsdClip::kNone), 5, 9), 2 * (5 - 9));
}

// PPO: ρ = e^Δ, the free slope −ρ A.
TEST(TrustRegion, OfEspoStopsOnlyWhatWouldGoFurtherOut) {
  expect_stopped(outcome(espo(), 0.2, 0.5));
  expect_stopped(outcome(espo(), -0.2, -0.5));
  expect_slope(outcome(espo(), 0.2, -0.5), 0.5 * std::exp(0.2));
  expect_slope(outcome(espo(), -0.2, 0.5), -0.5 * std::exp(-0.2));
  expect_slope(outcome(espo(), 0.05, 0.5), -0.5 * std::exp(0.05));
}

}  // namespace
}  // namespace gdsd
