// Where each trust region stops a rollout, and that `clipped` counts just those; and what GDSD
// learns when it is let go.
#include <c10/core/GradMode.h>
#include <gtest/gtest.h>

#include "gdsd/masking/scores.h"
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

/// Two completion tokens, each 0 or 1, predicted independently from a table of logits [2, 2].
struct TwoTokens : Denoiser {
  Tensor table;
  Vocabulary vocab{.size = 2, .mask_id = 2, .eos_id = 0, .pad_id = 0};

  Tensor encode(const Packed&, const Rows& rows) const override {
    return table.index_select(0, rows.index.remainder(2));  // a sequence is its two tokens
  }
  Tensor head() const override { return at::eye(2, at::kDouble); }
  const Vocabulary& vocabulary() const override { return vocab; }

  /// log p of the four completions 00, 01, 10, 11.
  Tensor log_p() const {
    const Tensor p = table.log_softmax(-1);
    return (p[0].unsqueeze(1) + p[1].unsqueeze(0)).flatten();
  }
};

// The teacher π* ∝ π_old exp(…) is where GDSD's loss is zero: Δ = ψA on every completion, Δ being
// S/C with S = ½ Σ log p, so that log π* = log π_old + 2C ψA. An advantage that adds up over tokens
// keeps π* within the reach of the table; its constant is chosen so that π* sums to one.
TEST(Gdsd, LearnsTheAdvantageGuidedTeacher) {
  TwoTokens model;
  model.table = at::tensor({0.3, -0.4, 1.0, 0.2}, at::kDouble).view({2, 2}).requires_grad_();
  const GdsdOptions o{.psi = 0.5, .beta = 0, .clip = GdsdClip::kNone};
  const Completed all{
      {at::tensor({0, 0, 0, 1, 1, 0, 1, 1}, at::kLong), {2, 2, 2, 2}}, 2, {2, 2, 2, 2}, {}};
  const double tilt = 2 * 2 * o.psi;

  const Tensor old = model.log_p().detach();
  const Tensor wanted = at::tensor({0.0, -0.5, 0.8, 0.3}, at::kDouble);  // 0.8 for 1., −0.5 for .1
  const Tensor advantage = wanted - (old + tilt * wanted).logsumexp(0) / tilt;
  const Tensor teacher = (old + tilt * wanted).log_softmax(0);
  EXPECT_GT(max_difference(teacher.exp(), old.exp()), 0.2);  // there is something to learn

  const Views first = mask(all, o.masking, 4, {1});
  const Tensor log_p_old = log_probs(model, first).detach();
  for (uint64_t step = 0; step < 2000; ++step) {
    const Views views = mask(all, o.masking, 4, {step});
    const Batch b{.log_p = log_probs(model, views),
                  .log_p_old = log_p_old,
                  .log_p_ref = {},
                  .weight = views.weight,
                  .completion = at::ones({4, 2}, at::kBool),
                  .advantage = advantage};
    const Loss l = loss(b, o);
    (l.sum / l.count).backward();
    const at::NoGradGuard no_grad;
    model.table.sub_(2 * model.table.grad());
    model.table.grad().zero_();
  }
  EXPECT_LE(max_difference(model.log_p().detach().exp(), teacher.exp()), 1e-9);
}

}  // namespace
}  // namespace gdsd
