// The losses of single views: spg, diffu_grpo, wd1, dmpo, tracerl, sft_mdlm.
#include "gdsd/objective/mdlm.h"
#include "gdsd/objective/objectives.h"
#include "gdsd/train/scoring.h"
#include "tests/golden_test/policy.h"

namespace gdsd::golden {
namespace {

/// What every case has: how the released masks look to us, and the loss of the fixture's logits.
struct Trial {
  const Fixture& f;
  const Tolerances& t;
  Views views;
  Tensor logits;  // the leaf

  Tensor scored(const Tensor& passes) const {
    return log_probs(Policy(f.over_all_logits(passes), views, f.mask_id(), false), views);
  }
  void check(const Loss& l) const {
    (l.sum / l.count).backward();
    f.expect(l.sum / l.count, "loss", t.loss);
    f.expect(logits.grad(), "grad_logits", t.gradient);
  }
};

Tensor completion_mask(const Fixture& f) { return f.at("completion_mask").to(at::kBool); }

/// weight = 1/n where asked, n of each row at least 1.
Tensor mean_weight(const Tensor& asked) {
  return asked.to(at::kDouble) / asked.sum(-1, true).clamp_min(1);
}

void check_spg(const Fixture& f, const Tolerances& t) {
  const json& hyper = f.hyper();
  const std::map<std::string, SpgBound> bounds{{"elbo", SpgBound::kElbo},
                                               {"eubo", SpgBound::kEubo},
                                               {"mix", SpgBound::kMix},
                                               {"zero", SpgBound::kZero}};
  SpgOptions o = SpgOptions::released();
  o.bound = bounds.at(hyper.at("logp_estimation"));
  o.gamma = hyper.at("eubo_beta"), o.omega = hyper.at("omega");
  const Tensor hidden = f.at("mask_full").transpose(0, 1);  // [K, B, P+L]
  const Tensor asked = hidden.slice(2, f.dim("P")).logical_and(completion_mask(f));
  Trial trial{f,
              t,
              {f.rollouts(), hidden.flatten(1), asked, mean_weight(asked)},
              f.leaf("cur.logits", t.type)};
  const Batch b{.log_p = trial.scored(trial.logits.transpose(0, 1)),
                .weight = trial.views.weight.to(t.type),
                .completion = completion_mask(f),
                .advantage = f.at("advantages").to(t.type)};
  f.expect(spg_scores(b, o).score, "score", t.score);
  trial.check(loss(b, o));
}

/// Views that hide the whole completion and ask for it up to EOS.
Views full_views(const Fixture& f) {
  const Tensor asked = completion_mask(f).unsqueeze(0);
  return {f.rollouts(), f.over_all(at::ones_like(asked)), asked, asked.to(at::kDouble)};
}

void expect_log_p(const Fixture& f, const Tensor& log_p, const std::string& name,
                  const Tolerance& by) {
  const Tensor known =
      f.at("expected." + name) * completion_mask(f);  // beyond EOS nothing is asked
  expect_close(log_p[0], known, by.relative, by.absolute, name);
}

void check_diffu_grpo(const Fixture& f, const Tolerances& t) {
  DiffuGrpoOptions o = DiffuGrpoOptions::released();
  o.epsilon_low = o.epsilon_high = f.hyper().at("eps");
  o.beta = f.hyper().at("beta");
  Trial trial{f, t, full_views(f), f.leaf("cur.logits", t.type)};
  Batch b{.log_p = trial.scored(trial.logits.unsqueeze(0)),
          .weight = trial.views.weight.to(t.type),
          .completion = completion_mask(f),
          .advantage = f.at("advantages").to(t.type)};
  b.log_p.retain_grad();
  auto others = [&](const std::string& name) {
    return trial.scored(f.at(name + ".logits").to(t.type).unsqueeze(0));
  };
  b.log_p_old = f.has("old.logits") ? others("old") : b.log_p.detach();
  if (f.has("ref.logits")) b.log_p_ref = others("ref");
  expect_log_p(f, b.log_p, "logp", t.score);
  if (f.has("old.logits")) expect_log_p(f, b.log_p_old, "old_logp", t.score);
  if (f.has("ref.logits")) expect_log_p(f, b.log_p_ref, "ref_logp", t.score);
  const Loss l = loss(b, o);
  trial.check(l);
  f.expect(b.log_p.grad()[0], "grad_logp", t.gradient);
  // The released clip_ratio counts the other tokens outside the window, those that no clip stops.
  const Tensor ratio = (b.log_p - b.log_p_old).exp();
  const Tensor outside = (ratio != ratio.clamp(1 - o.epsilon_low, 1 + o.epsilon_high))
                             .logical_and(b.advantage.unsqueeze(1) != 0);
  const double clipped = l.metrics.at("clipped").item<double>() / l.count;
  expect_close(outside.sum().item<double>() / l.count - clipped, f.metrics().at("clip_ratio"),
               t.metric.relative, 1e-7, "clip_ratio");
  if (o.beta > 0)
    expect_close(l.metrics.at("kl").item<double>() / l.count, f.metrics().at("kl"),
                 t.metric.relative, t.metric.absolute, "kl");
}

void check_wd1(const Fixture& f, const Tolerances& t) {
  Wd1Options o = Wd1Options::released();
  if (f.hyper().at("variant") == "pos_only") o.advantage.centring = Centring::kNone;
  Trial trial{f, t, full_views(f), f.leaf("cur.logits", t.type)};
  const auto rewards = to_vector<double>(f.at("advantages"));  // differences of rewards do as well
  Batch b{.log_p = trial.scored(trial.logits.unsqueeze(0)),
          .weight = trial.views.weight.to(t.type),
          .completion = completion_mask(f),
          .advantage = advantage(rewards, std::ssize(rewards), o.advantage).to(t.type)};
  b.log_p.retain_grad();
  expect_log_p(f, b.log_p, "logp", t.score);
  const Loss l = loss(b, o);
  trial.check(l);
  f.expect(b.log_p.grad()[0], "grad_logp", t.gradient);
}

/// R replicates as R views of one pass each.
Views replicate_views(const Fixture& f, const Tensor& weight) {
  return {f.rollouts(), f.over_all(f.at("mask")), f.at("mask"), weight};
}

void check_dmpo(const Fixture& f, const Tolerances& t) {
  const json& hyper = f.hyper();
  const std::map<std::string, Centring> centrings{{"neg", Centring::kNegative},
                                                  {"mean", Centring::kMean},
                                                  {"unbias", Centring::kCurrent},
                                                  {"none", Centring::kNone}};
  DmpoOptions o = DmpoOptions::released();
  o.advantage.centring = Centring::kNone;
  if (hyper.at("loss") == "wdce") {
    o.advantage.centring = centrings.at(hyper.at("centering"));
    o.advantage.centring_strength = hyper.at("centering_strength");
  } else {
    o.loss = DmpoLoss::kDdo;
    o.advantage.unit_sum = true;
    o.ddo_beta = hyper.at("ddo_beta"), o.ddo_alpha = hyper.at("ddo_alpha");
    if (hyper.at("ddo_indep_set").get<bool>()) o.ddo_views = DdoViews::kHalves;
  }
  Trial trial{f, t, replicate_views(f, mean_weight(f.at("mask"))), f.leaf("cur.logits", t.type)};
  Batch b{.log_p = trial.scored(trial.logits),
          .weight = trial.views.weight.to(t.type),
          .completion = completion_mask(f),
          .elbo_old = f.at("logp_cur").to(t.type)};
  const auto L = static_cast<double>(f.dim("L"));
  const Tensor elbo = L * (trial.views.weight * b.log_p.detach()).sum(-1).mean(0);  // [B]
  b.advantage =
      centred({f.at("w_pos"), f.at("w_neg")}, elbo - f.at("logp_cur"), o.advantage).to(t.type);
  trial.check(loss(b, o));
}

void check_dmpo_weights(const Fixture& f, const Tolerances&) {
  const json& hyper = f.hyper();
  const double alpha = hyper.at("alpha");
  AdvantageOptions o = DmpoOptions::released().advantage;
  o.reference = alpha > 0;  // alpha 0: rewards alone
  o.alpha = alpha > 0 ? alpha : 1.0;
  o.coefficient = hyper.at("coeff");
  if (hyper.at("ada_coeff").get<bool>()) o.target_ess = 0.8;
  const auto L = static_cast<double>(f.dim("L"));
  const Views views = replicate_views(f, L * mean_weight(f.at("mask")));
  auto elbo = [&](const std::string& name) {
    const Tensor logits = f.at(name + ".logits").to(at::kDouble);
    return score_rollouts(Policy(f.over_all_logits(logits), views, f.mask_id(), false), views,
                          f.dim("N"));
  };
  const Tensor current = elbo("cur"), reference = elbo("ref");
  f.expect(current, "logp_cur", kFloat64.score);
  f.expect(reference, "logp_pre", kFloat64.score);
  std::vector<Tensor> positive, negative;
  const int64_t G = f.dim("G");
  for (int64_t g = 0; g < f.dim("N"); g += G) {
    const auto rows = [&](const Tensor& x) { return x.slice(0, g, g + G); };
    const Tensor ratio = o.reference ? rows(reference - current) : Tensor();
    const SoftmaxWeights w = softmax_weights(rows(f.at("rewards")), ratio, o);
    positive.push_back(w.positive), negative.push_back(w.negative);
    if (o.target_ess > 0) {
      const bool at_bound = w.coefficient < 0.0101 || w.coefficient > 0.9899;
      if (!at_bound) {
        EXPECT_NEAR(effective_sample_size(w.positive) / static_cast<double>(G), 0.8, 1e-2);
      }
      o.target_ess = 0, o.coefficient = f.at("expected.coeff").item<double>();
      const SoftmaxWeights known = softmax_weights(rows(f.at("rewards")), ratio, o);
      EXPECT_NEAR(w.coefficient, o.coefficient, 1e-2);
      positive.back() = known.positive, negative.back() = known.negative;
    }
  }
  f.expect(at::cat(positive), "w_pos", kFloat64.score);
  f.expect(at::cat(negative), "w_neg", kFloat64.score);
  expect_close(effective_sample_size(at::cat(positive)) / static_cast<double>(f.dim("N")),
               f.metrics().at("ess"), 1e-6, 1e-12, "ess");
}

void check_tracerl(const Fixture& f, const Tolerances& t) {
  TraceRlOptions o = TraceRlOptions::released();
  o.epsilon_low = o.epsilon_high = f.hyper().at("eps");
  o.beta = f.hyper().at("beta");
  if (f.hyper().at("kl_estimator") == "k1_plain") o.kl = Kl::kPlain;
  const int64_t R = f.dim("R"), T = f.dim("T"), first = f.next ? 1 : 0;
  const Tensor asked = f.at("loss_mask").slice(1, first).unsqueeze(0);
  const Views views{{f.at("labels").flatten(), std::vector<int64_t>(R, T)},
                    (f.at("noisy_ids") != f.at("labels")).view({1, -1}),
                    asked,
                    mean_weight(asked)};
  auto scored = [&](const Tensor& logits) {
    return log_probs(Policy(logits.unsqueeze(0), views, f.mask_id(), f.next), views);
  };
  const Tensor logits = f.leaf("cur.logits", t.type);
  const Batch b{.log_p = scored(logits),
                .log_p_old = scored(f.at("old.logits").to(t.type)),
                .weight = views.weight.to(t.type),
                .completion = at::ones_like(asked[0]),
                .advantage = f.at("advantages").to(t.type)};
  const Loss l = loss(b, o);
  EXPECT_EQ(l.count, asked.any(-1).sum().item<double>());
  // The fixture's mean runs over rows without tokens too, which views never have.
  const auto count = static_cast<double>(R);
  (l.sum / count).backward();
  f.expect(l.sum / count, "loss", t.loss);
  f.expect(logits.grad(), "grad_logits", t.gradient);
  const Tensor known = f.at("expected.old_logp").slice(1, f.next ? 0 : first) * asked[0];
  expect_close(b.log_p_old[0], known, t.score.relative, t.score.absolute, "old_logp");
}

void check_mdlm(const Fixture& f, const Tolerances& t) {
  const MdlmOptions o = MdlmOptions::released();
  const Tensor logits = f.leaf("logits", t.type);
  const int64_t N = f.dim("N");
  Loss total;
  Tensor sum = at::zeros({}, t.type);
  for (int64_t b = 0; b < f.dim("B"); ++b) {
    const int64_t P = f.has("prompt_lengths") ? f.at("prompt_lengths")[b].item<int64_t>() : 0;
    if (P == N) continue;  // nothing but a prompt
    const Tensor asked = f.at("loss_mask")[b].slice(0, P).view({1, 1, -1});
    const Views views{{f.at("input_ids")[b], {N}},
                      (f.at("noisy_ids")[b] == f.mask_id()).unsqueeze(0),
                      asked,
                      asked.to(at::kDouble) / f.at("t")[b]};
    const Policy policy(logits[b].view({1, 1, N, -1}), views, f.mask_id(), f.next);
    const Loss l =
        loss(Batch{.log_p = log_probs(policy, views), .weight = views.weight.to(t.type)}, o);
    sum = sum + l.sum;
    total += l;
  }
  (sum / total.count).backward();
  f.expect(sum / total.count, "loss", t.loss);
  f.expect(logits.grad(), "grad_logits", t.gradient);
}

}  // namespace

void add_single_loss(const json& fixture, const path& folder) {
  const std::map<std::string, void (*)(const Fixture&, const Tolerances&)> checks{
      {"spg", check_spg},         {"diffu_grpo", check_diffu_grpo},
      {"wd1", check_wd1},         {"dmpo_wdce", check_dmpo},
      {"dmpo_ddo", check_dmpo},   {"dmpo_weights", check_dmpo_weights},
      {"tracerl", check_tracerl}, {"sft_mdlm", check_mdlm}};
  add_loss(fixture, folder, checks.at(fixture.at("method")));
}

}  // namespace gdsd::golden
