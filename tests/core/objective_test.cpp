// What holds for every objective, whatever its formula. log_p, log_p_old and log_p_ref are drawn
// independently, so that rollouts lie on both sides of every trust region.
#include <gtest/gtest.h>

#include "gdsd/objective/objectives.h"
#include "tests/core/table_denoiser.h"

namespace gdsd {
namespace {

Batch random_batch(int64_t K, int64_t B, int64_t C) {
  return {.log_p = -random_tensor({K, B, C}, "log_p"),
          .log_p_old = -random_tensor({K, B, C}, "log_p_old"),
          .log_p_ref = -random_tensor({K, B, C}, "log_p_ref"),
          .weight = 0.5 + random_tensor({K, B, C}, "weight"),
          .completion = random_tensor({B, C}, "completion") < 0.8,
          .advantage = 2 * random_tensor({B}, "advantage") - 1};
}

Batch rows(const Batch& b, int64_t from, int64_t to) {
  return {b.log_p.slice(1, from, to),      b.log_p_old.slice(1, from, to),
          b.log_p_ref.slice(1, from, to),  b.weight.slice(1, from, to),
          b.completion.slice(0, from, to), b.advantage.slice(0, from, to)};
}

Tensor gradient(Batch b, const ObjectiveOptions& o) {
  b.log_p = b.log_p.detach().clone().requires_grad_();
  loss(b, o).sum.backward();
  return b.log_p.grad();
}

ObjectiveOptions without_reference(ObjectiveOptions o) {
  std::visit([](auto& options) { options.beta = 0; }, o);
  return o;
}

struct Case {
  const char* name;
  ObjectiveOptions options;
};
void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }

class EveryObjective : public testing::TestWithParam<Case> {};

TEST_P(EveryObjective, IsASumOverRollouts) {
  const ObjectiveOptions o = GetParam().options;
  const Batch b = random_batch(2, 6, 4);
  const Loss whole = loss(b, o);
  for (int64_t cut : {1, 2, 5}) {
    Loss parts = loss(rows(b, 0, cut), o);
    parts += loss(rows(b, cut, 6), o);
    EXPECT_NEAR(whole.sum.item<double>(), parts.sum.item<double>(), 1e-12);
    EXPECT_DOUBLE_EQ(whole.count, parts.count);
    EXPECT_EQ(whole.metrics.size(), parts.metrics.size());
    for (const auto& [name, value] : whole.metrics)
      EXPECT_NEAR(value.item<double>(), parts.metrics.at(name).item<double>(), 1e-12) << name;
  }
}

/// The function whose gradient the objective promises. That is its value, but for the estimator k1:
/// r with the gradient (1 + r) ∇r, which is the gradient of r + ½ r².
double promised_value(const Batch& b, ObjectiveOptions o) {
  double value = loss(b, o).sum.item<double>();
  std::visit(
      [&](auto& options) {
        if (options.kl != Kl::kK1) return;
        options.kl = Kl::kK2;
        value += options.beta * loss(b, o).metrics.at("kl").item<double>();
      },
      o);
  return value;
}

TEST_P(EveryObjective, HasTheGradientOfItsValue) {
  const Batch b = random_batch(2, 6, 3);
  const Tensor got = gradient(b, GetParam().options).flatten();
  for (int64_t n = 0; n < b.log_p.numel(); ++n) {
    Tensor step = at::zeros({b.log_p.numel()}, at::kDouble);
    step[n] = 1e-6;
    Batch up = b, down = b;
    up.log_p = b.log_p + step.view_as(b.log_p);
    down.log_p = b.log_p - step.view_as(b.log_p);
    const double numeric =
        (promised_value(up, GetParam().options) - promised_value(down, GetParam().options)) / 2e-6;
    EXPECT_NEAR(got[n].item<double>(), numeric, 1e-7) << n;
  }
}

TEST_P(EveryObjective, HasNoPolicyGradientWithoutAdvantageAtTheOldPolicy) {
  Batch b = random_batch(2, 6, 4);
  b.log_p = b.log_p_old.clone();
  b.advantage.zero_();
  EXPECT_TRUE((gradient(b, without_reference(GetParam().options)) == 0).all().item<bool>());
}

// Both families begin as REINFORCE: at the old policy a completion's score moves with A.
TEST_P(EveryObjective, FollowsTheAdvantageAtTheOldPolicy) {
  Batch b = random_batch(1, 6, 4);
  b.log_p = b.log_p_old.clone();
  const Tensor slope = gradient(b, without_reference(GetParam().options)) / b.weight;  // [1, B, C]
  const Tensor ratio = slope[0] / b.advantage.unsqueeze(1);
  EXPECT_LT(ratio.max().item<double>(), 0);
  EXPECT_LE((ratio.max() - ratio.min()).item<double>(), 1e-12);
}

TEST_P(EveryObjective, PullsTowardsTheReference) {
  Batch b = random_batch(1, 6, 4);
  b.log_p = b.log_p_old.clone();
  b.advantage.zero_();
  const ObjectiveOptions& o = GetParam().options;
  b.log_p_ref = b.log_p.clone();
  EXPECT_NEAR(loss(b, o).metrics.at("kl").item<double>(), 0, 1e-15);
  b.log_p_ref = b.log_p - 0.1;  // more likely than under the reference
  EXPECT_GT((gradient(b, o) / b.weight).min().item<double>(), 0);
}

TEST_P(EveryObjective, ReportsDetachedMetricsThatMeanWhatTheySay) {
  Batch b = random_batch(2, 6, 4);
  b.log_p.requires_grad_();
  const Loss l = loss(b, GetParam().options);
  EXPECT_EQ(l.count, 6);
  for (const auto& [name, value] : l.metrics) EXPECT_FALSE(value.requires_grad()) << name;
  EXPECT_NEAR(l.metrics.at("entropy").item<double>(),
              -(b.weight * b.log_p.detach()).sum().item<double>() / (2 * 4), 1e-12);
  const double clipped = l.metrics.at("clipped").item<double>();
  EXPECT_TRUE(clipped >= 0 && clipped <= l.count) << clipped;
}

TEST_P(EveryObjective, NeedsNoReferenceWithoutBeta) {
  Batch b = random_batch(2, 6, 4);
  b.log_p_ref = Tensor();
  const ObjectiveOptions o = without_reference(GetParam().options);
  EXPECT_FALSE(needs_reference(o));
  EXPECT_TRUE(needs_reference(GetParam().options));
  EXPECT_EQ(loss(b, o).metrics.at("kl").item<double>(), 0);
}

constexpr double kBeta = 0.1, kEpsilon = 0.1;

GdsdOptions gdsd(GdsdClip clip) {
  return {.psi = 0.3,
          .beta = kBeta,
          .epsilon_low = kEpsilon,
          .epsilon_high = 2 * kEpsilon,
          .clip = clip,
          .views = 2};
}
GdsdOptions gdsd_sum_views() {
  GdsdOptions o = gdsd(GdsdClip::kOneSided);
  o.sum_views = true;
  return o;
}
EspoOptions espo(Kl kl) {
  return {
      .beta = kBeta, .epsilon_low = kEpsilon, .epsilon_high = 2 * kEpsilon, .kl = kl, .views = 2};
}

INSTANTIATE_TEST_SUITE_P(
    All, EveryObjective,
    testing::Values(Case{"gdsd", GdsdOptions{}}, Case{"gdsd_released", GdsdOptions::released()},
                    Case{"gdsd_one_sided", gdsd(GdsdClip::kOneSided)},
                    Case{"gdsd_two_sided", gdsd(GdsdClip::kTwoSided)},
                    Case{"gdsd_sum", gdsd(GdsdClip::kSum)},
                    Case{"gdsd_none", gdsd(GdsdClip::kNone)},
                    Case{"gdsd_sum_views", gdsd_sum_views()}, Case{"espo", EspoOptions{}},
                    Case{"espo_released", EspoOptions::released()}, Case{"espo_k1", espo(Kl::kK1)},
                    Case{"espo_k2", espo(Kl::kK2)}, Case{"espo_k3", espo(Kl::kK3)}),
    [](const auto& tested) { return std::string(tested.param.name); });

// r = ln 2: e^(−r) = ½.
TEST(KlEstimators, AreTheirFormulas) {
  const Tensor r = at::scalar_tensor(std::log(2.0), at::kDouble);
  EXPECT_DOUBLE_EQ(kl(Kl::kK1, r).item<double>(), std::log(2.0));
  EXPECT_DOUBLE_EQ(kl(Kl::kK2, r).item<double>(), std::log(2.0) * std::log(2.0) / 2);
  EXPECT_DOUBLE_EQ(kl(Kl::kK3, r).item<double>(), std::log(2.0) - 0.5);
}

}  // namespace
}  // namespace gdsd
