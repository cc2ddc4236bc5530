// The losses of coupled views: gdsd, gdsd_tlc, espo.
#include "gdsd/objective/objectives.h"
#include "tests/golden_test/policy.h"

namespace gdsd::golden {
namespace {

Views views_of(const Fixture& f, TokenWeight weight) {
  const auto L = static_cast<double>(f.dim("L"));
  const Tensor hidden = f.at("mask"), x = hidden.sum(-1, true).to(at::kDouble);  // [M, B, 1]
  const Tensor together = at::where(hidden, x, L - x);
  Tensor w = at::ones_like(together) / 2;
  if (weight == TokenWeight::kElbo) w = w * (L + 1) / together;
  const Tensor asked = at::cat({hidden, ~hidden});
  return {f.rollouts(), f.over_all(asked), asked, w};
}

/// One policy of a fixture: the logits of the first and the second pass.
struct Pair {
  Tensor m, mc;
  Policy denoiser;

  Pair(const Fixture& f, const std::string& name, at::ScalarType type, const Views& views)
      : m(f.leaf(name + (f.next ? ".full_logits_m" : ".logits_m"), type)),
        mc(f.leaf(name + (f.next ? ".full_logits_mc" : ".logits_mc"), type)),
        denoiser(f.next ? at::cat({m, mc}) : f.over_all_logits(at::cat({m, mc})), views,
                 f.mask_id(), f.next) {}
};

ObjectiveOptions options_of(const Fixture& f) {
  const json& hyper = f.hyper();
  const double low = hyper.at("eps_lo"), high = hyper.value("eps_hi", low);
  Kl kl = Kl::kK2;
  const std::string name = hyper.value("kl_estimator", "k2");
  if (name == "k1") kl = Kl::kK1;
  if (name == "k3") kl = Kl::kK3;
  if (f.info.at("method") == "espo")
    return EspoOptions{
        .beta = hyper.at("beta"), .epsilon_low = low, .epsilon_high = high, .kl = kl};
  const auto set = [&](auto o) {
    o.psi = hyper.at("psi"), o.beta = hyper.at("beta"), o.kl = kl;
    o.epsilon_low = low, o.epsilon_high = high;
    return o;
  };
  if (f.info.at("method") == "gdsd_tlc") return set(GdsdTlcOptions::released());
  return set(GdsdOptions::released());
}

/// dL/dS where S = Σ w log p: [M, B] → as the fixture has it, [B, M], or [B, 1] if S is a mean.
Tensor gradient_of_score(const Batch& b, bool mean) {
  const Tensor w = mean ? b.weight / b.weight.size(0) : b.weight;
  const Tensor along = w * b.log_p.grad(), norm = w.square();
  if (mean) return (along.sum(0).sum(-1) / norm.sum(0).sum(-1)).unsqueeze(1);
  return (along.sum(-1) / norm.sum(-1)).t();
}

/// The metrics that the released code reports of such a case; each of them must be there.
void check_metrics(const Loss& l, const ObjectiveOptions& o, const json& expected,
                   const Tolerance& t) {
  std::map<std::string, std::string> names{{"entropy", "entropy"}};
  if (needs_reference(o)) names["kl"] = "kl";
  if (std::holds_alternative<EspoOptions>(o)) names["clip_ratio/region_mean"] = "clipped";
  for (const auto& [theirs, ours] : names)
    expect_close(l.metrics.at(ours).item<double>() / l.count, expected.at(theirs), t.relative,
                 t.absolute, theirs);
}

/// Of the logits that predict completions, where `next` has those of whole sequences.
Tensor gradient_of_logits(const Fixture& f, const Tensor& leaf) {
  if (!f.next) return leaf.grad();
  const Tensor used = leaf.grad().slice(2, f.dim("P") - 1, f.dim("P") - 1 + f.dim("L"));
  EXPECT_TRUE(leaf.grad().count_nonzero().equal(used.count_nonzero()));
  return used;
}

void check_loss(const Fixture& f, const Tolerances& t) {
  const ObjectiveOptions o = options_of(f);
  const bool mean = std::holds_alternative<EspoOptions>(o);
  const Views views = views_of(f, masking(o).weight);
  const Pair current(f, "cur", t.type, views);
  const bool has_old = f.has("old.logits_m"), has_ref = f.has("ref.logits_m");

  Batch b{.log_p = log_probs(current.denoiser, views),
          .weight = views.weight.to(t.type),
          .completion = at::ones({f.dim("B"), f.dim("L")}, at::kBool),
          .advantage = f.at("advantages").to(t.type)};
  b.log_p.retain_grad();
  auto others = [&](const std::string& name) {
    return log_probs(Pair(f, name, t.type, views).denoiser, views).detach();
  };
  b.log_p_old = has_old ? others("old") : b.log_p.detach();
  if (has_ref) b.log_p_ref = others("ref");
  const Loss l = loss(b, o);
  (l.sum / l.count).backward();

  auto score = [&](const Tensor& log_p) {
    const Tensor s = (b.weight * log_p).sum(-1);  // [M, B]
    return mean ? s.mean(0).unsqueeze(1) : s.t();
  };
  f.expect(score(b.log_p), "score", t.score);
  if (has_old) f.expect(score(b.log_p_old), "score_old", t.score);
  if (has_ref) f.expect(score(b.log_p_ref), "score_ref", t.score);
  f.expect(l.sum / l.count, "loss", t.loss);
  f.expect(gradient_of_score(b, mean), "grad_score", t.gradient);
  f.expect(gradient_of_logits(f, current.m), "grad_logits_m", t.gradient);
  f.expect(gradient_of_logits(f, current.mc), "grad_logits_mc", t.gradient);
  check_metrics(l, o, f.metrics(), t.metric);
}

}  // namespace

void add_pair_loss(const json& fixture, const path& folder) {
  add_loss(fixture, folder, check_loss);
}

}  // namespace gdsd::golden
