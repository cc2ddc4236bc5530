// What holds for every objective, whatever its formula. log_p, log_p_old and log_p_ref are drawn
// independently, so that rollouts lie on both sides of every trust region.
#include <gtest/gtest.h>

#include <algorithm>

#include "gdsd/objective/mdlm.h"
#include "gdsd/objective/objectives.h"
#include "tests/core/table_denoiser.h"

namespace gdsd {
namespace {

/// About a fifth of the tokens is not asked for.
Batch random_batch(int64_t K, int64_t B, int64_t C) {
  const Tensor asked = random_tensor({K, B, C}, "asked") < 0.8;
  auto log_p = [&](const char* name) { return -random_tensor({K, B, C}, name) * asked; };
  return {.log_p = log_p("log_p"),
          .log_p_old = log_p("log_p_old"),
          .log_p_ref = log_p("log_p_ref"),
          .weight = (0.5 + random_tensor({K, B, C}, "weight")) * asked,
          .completion = random_tensor({B, C}, "completion") < 0.8,
          .advantage = 2 * random_tensor({B}, "advantage") - 1,
          .elbo_old = -3 * random_tensor({B}, "elbo")};
}

Batch rows(const Batch& b, int64_t from, int64_t to) {
  return {b.log_p.slice(1, from, to),      b.log_p_old.slice(1, from, to),
          b.log_p_ref.slice(1, from, to),  b.weight.slice(1, from, to),
          b.completion.slice(0, from, to), b.advantage.slice(0, from, to),
          b.elbo_old.slice(0, from, to)};
}

Tensor gradient(Batch b, const ObjectiveOptions& o) {
  b.log_p = b.log_p.detach().clone().requires_grad_();
  loss(b, o).sum.backward();
  return b.log_p.grad();
}

ObjectiveOptions without_reference(ObjectiveOptions o) {
  std::visit(
      []<class T>(T& options) {
        if constexpr (requires { options.beta; }) options.beta = 0;
      },
      o);
  return o;
}

bool contrasts_without_advantage(const ObjectiveOptions& o) {
  const auto* dmpo = std::get_if<DmpoOptions>(&o);
  return dmpo && dmpo->loss == DmpoLoss::kDdo;
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
      [&]<class T>(T& options) {
        if constexpr (requires { options.kl; }) {
          if (options.kl != Kl::kK1) return;
          options.kl = Kl::kK2;
          value += options.beta * loss(b, o).metrics.at("kl").template item<double>();
        }
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
  if (contrasts_without_advantage(GetParam().options))
    GTEST_SKIP() << "ddo pulls to the old policy";
  Batch b = random_batch(2, 6, 4);
  b.log_p = b.log_p_old.clone();
  b.advantage.zero_();
  EXPECT_TRUE((gradient(b, without_reference(GetParam().options)) == 0).all().item<bool>());
}

TEST_P(EveryObjective, MovesScoresTheWayOfTheAdvantageAtTheOldPolicy) {
  if (contrasts_without_advantage(GetParam().options))
    GTEST_SKIP() << "ddo pulls to the old policy";
  Batch b = random_batch(1, 6, 4);
  b.log_p = b.log_p_old.clone();
  const Tensor slope = gradient(b, without_reference(GetParam().options));  // [1, B, C]
  EXPECT_TRUE((slope * b.advantage.unsqueeze(1) <= 0).all().item<bool>());
  const Tensor moved = (slope != 0)[0], asked = (b.weight != 0)[0];  // zero ignores A ≤ 0
  const Tensor good = (b.advantage > 0).unsqueeze(1).logical_and(asked);
  EXPECT_TRUE(moved.logical_or(~good).all().item<bool>());
}

TEST_P(EveryObjective, DoesNotMindTheOrderOfViews) {
  const Batch b = random_batch(3, 6, 4);
  Batch other = b;
  for (Tensor* t : {&other.log_p, &other.log_p_old, &other.log_p_ref, &other.weight})
    *t = t->index_select(0, at::tensor({2, 0, 1}, at::kLong));
  if (std::string(GetParam().name) == "dmpo_ddo_halves") GTEST_SKIP() << "its halves are an order";
  EXPECT_NEAR(loss(b, GetParam().options).sum.item<double>(),
              loss(other, GetParam().options).sum.item<double>(), 1e-12);
}

TEST_P(EveryObjective, PullsTowardsTheReference) {
  const ObjectiveOptions& o = GetParam().options;
  if (!std::visit([](const auto& x) { return x.needs_reference(); }, o))
    GTEST_SKIP() << "its loss has no reference";
  Batch b = random_batch(1, 6, 4);
  b.log_p = b.log_p_old.clone();
  b.advantage.zero_();
  b.log_p_ref = b.log_p.clone();
  EXPECT_NEAR(loss(b, o).metrics.at("kl").item<double>(), 0, 1e-15);
  const Tensor asked = b.weight != 0;
  b.log_p_ref = b.log_p - 0.1 * asked;  // more likely than under the reference
  EXPECT_GT(gradient(b, o).masked_select(asked).min().item<double>(), 0);
}

TEST_P(EveryObjective, ReportsDetachedMetricsThatMeanWhatTheySay) {
  Batch b = random_batch(2, 6, 4);
  b.log_p.requires_grad_();
  const Loss l = loss(b, GetParam().options);
  for (const auto& [name, value] : l.metrics) EXPECT_FALSE(value.requires_grad()) << name;
  if (!l.metrics.contains("clipped")) return;
  const double clipped = l.metrics.at("clipped").item<double>();
  EXPECT_GE(clipped, 0);
  EXPECT_LE(clipped, l.count * std::max(1.0, b.weight.sum(-1).max().item<double>()));
  b.log_p = b.log_p_old.clone(), b.log_p_ref = b.log_p_old.clone();
  EXPECT_EQ(loss(b, GetParam().options).metrics.at("clipped").item<double>(), 0);
}

TEST_P(EveryObjective, LooksAtNothingItDoesNotNeed) {
  Batch b = random_batch(2, 6, 4);
  const ObjectiveOptions& o = GetParam().options;
  std::visit(
      [&](const auto& x) {
        if (!x.needs_old()) b.log_p_old = Tensor();
        if (!x.needs_reference()) b.log_p_ref = Tensor();
        if (!x.needs_elbo()) b.elbo_old = Tensor();
      },
      o);
  EXPECT_TRUE(std::isfinite(loss(b, o).sum.item<double>()));
}

/// No NaN and no infinity, in value and gradient.
void expect_finite(const Batch& b, const ObjectiveOptions& o, const char* what) {
  EXPECT_TRUE(std::isfinite(loss(b, o).sum.item<double>())) << what;
  EXPECT_TRUE(gradient(b, o).isfinite().all().item<bool>()) << what;
}

TEST_P(EveryObjective, IsFiniteAtTheEdges) {
  const ObjectiveOptions& o = GetParam().options;
  const Batch random = random_batch(2, 6, 4);
  Batch b = random;
  for (Tensor* t : {&b.log_p, &b.log_p_old, &b.log_p_ref, &b.weight}) *t = at::zeros_like(*t);
  expect_finite(b, o, "nothing asked");
  b = random, b.weight = at::ones_like(b.weight);
  expect_finite(b, o, "everything asked");
  b = random, b.advantage = at::zeros_like(b.advantage);
  expect_finite(b, o, "equal rewards");
  b = random, b.completion.slice(1, 1).fill_(false), b.weight = b.weight * b.completion;
  expect_finite(b, o, "EOS first");
  for (double gap : {-80.0, 80.0}) {
    b = random, b.log_p = b.log_p_old + gap * (b.weight != 0);
    b.log_p_ref = b.log_p_old;
    expect_finite(b, o, "log-ratios of 80");
  }
}

constexpr double kBeta = 0.1, kEpsilon = 0.1;

GdsdOptions gdsd(GdsdClip clip) {
  return {.psi = 0.3,
          .beta = kBeta,
          .epsilon_low = kEpsilon,
          .epsilon_high = 2 * kEpsilon,
          .clip = clip};
}
GdsdOptions gdsd_sum_views() {
  GdsdOptions o = gdsd(GdsdClip::kOneSided);
  o.sum_views = true;
  return o;
}
GdsdOptions gdsd_teacher() {
  GdsdOptions o = gdsd(GdsdClip::kOneSided);
  o.reference = GdsdReference::kTeacher;
  return o;
}
EspoOptions espo(Kl kl) {
  return {.beta = kBeta, .epsilon_low = kEpsilon, .epsilon_high = 2 * kEpsilon, .kl = kl};
}
SpgOptions spg(SpgBound bound) {
  SpgOptions o;
  o.bound = bound;
  return o;
}
DmpoOptions ddo(DdoViews views) {
  DmpoOptions o;
  o.loss = DmpoLoss::kDdo, o.ddo_views = views, o.ddo_beta = 0.3;
  return o;
}
DiffuGrpoOptions diffu_grpo(Kl kl) {
  DiffuGrpoOptions o;
  o.kl = kl, o.epsilon_low = o.epsilon_high = kEpsilon;
  return o;
}

INSTANTIATE_TEST_SUITE_P(
    All, EveryObjective,
    testing::Values(
        Case{"gdsd", GdsdOptions{}}, Case{"gdsd_released", GdsdOptions::released()},
        Case{"gdsd_one_sided", gdsd(GdsdClip::kOneSided)},
        Case{"gdsd_two_sided", gdsd(GdsdClip::kTwoSided)}, Case{"gdsd_sum", gdsd(GdsdClip::kSum)},
        Case{"gdsd_none", gdsd(GdsdClip::kNone)}, Case{"gdsd_sum_views", gdsd_sum_views()},
        Case{"gdsd_teacher", gdsd_teacher()}, Case{"gdsd_tlc", GdsdTlcOptions{}},
        Case{"gdsd_tlc_released", GdsdTlcOptions::released()}, Case{"espo", EspoOptions{}},
        Case{"espo_released", EspoOptions::released()}, Case{"espo_k1", espo(Kl::kK1)},
        Case{"espo_k2", espo(Kl::kK2)}, Case{"espo_k3", espo(Kl::kK3)},
        Case{"spg_elbo", spg(SpgBound::kElbo)}, Case{"spg_eubo", spg(SpgBound::kEubo)},
        Case{"spg_mix", spg(SpgBound::kMix)}, Case{"spg_zero", spg(SpgBound::kZero)},
        Case{"spg_released", SpgOptions::released()}, Case{"wd1", Wd1Options{}},
        Case{"wd1_released", Wd1Options::released()}, Case{"dmpo", DmpoOptions{}},
        Case{"dmpo_released", DmpoOptions::released()}, Case{"dmpo_ddo", ddo(DdoViews::kShared)},
        Case{"dmpo_ddo_sum", ddo(DdoViews::kSum)}, Case{"dmpo_ddo_halves", ddo(DdoViews::kHalves)},
        Case{"diffu_grpo", DiffuGrpoOptions{}},
        Case{"diffu_grpo_released", DiffuGrpoOptions::released()},
        Case{"diffu_grpo_k1", diffu_grpo(Kl::kK1)}, Case{"diffu_grpo_k3", diffu_grpo(Kl::kK3)},
        Case{"coupled_grpo", CoupledGrpoOptions{}}, Case{"tracerl", TraceRlOptions{}},
        Case{"tracerl_released", TraceRlOptions::released()}),
    [](const auto& tested) { return std::string(tested.param.name); });

// By hand: two demonstrations of two tokens, two views.
TEST(Mdlm, IsTheWeighedCrossEntropy) {
  Batch b{
      .log_p = at::tensor({-1.0, -2.0, -3.0, -4.0, -5.0, -6.0, -7.0, -8.0}, at::kDouble)
                   .view({2, 2, 2})
                   .requires_grad_(),
      .weight = at::tensor({1.0, 0.0, 0.5, 0.5, 0.0, 1.0, 0.5, 0.5}, at::kDouble).view({2, 2, 2})};
  const Loss each = loss(b, MdlmOptions{});
  EXPECT_DOUBLE_EQ(each.sum.item<double>(), (1.0 + 3.5 + 6.0 + 7.5) / 2);
  EXPECT_EQ(each.count, 2);
  EXPECT_EQ(loss(b, MdlmOptions::released()).count, 4);
  each.sum.backward();
  EXPECT_TRUE(b.log_p.grad().equal(-b.weight / 2));
}

// r = ln 2: e^(−r) = ½.
TEST(KlEstimators, AreTheirFormulas) {
  const Tensor r = at::scalar_tensor(std::log(2.0), at::kDouble);
  EXPECT_DOUBLE_EQ(kl(Kl::kK1, r).item<double>(), std::log(2.0));
  EXPECT_DOUBLE_EQ(kl(Kl::kK2, r).item<double>(), std::log(2.0) * std::log(2.0) / 2);
  EXPECT_DOUBLE_EQ(kl(Kl::kK3, r).item<double>(), std::log(2.0) - 0.5);
}

}  // namespace
}  // namespace gdsd
