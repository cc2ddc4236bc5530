// Losses and their gradients, from logits: fixtures of the methods gdsd and espo. A denoiser that
// answers with the fixture's logits goes through the same log_probs and loss as training does.
#include "gdsd/masking/masking.h"
#include "gdsd/objective/objectives.h"
#include "tests/golden_test/golden.h"

namespace gdsd::golden {
namespace {

/// Relative to the largest entry, plus absolute: objectives/README.md, "Tolerances".
struct Tolerance {
  double relative, absolute;
};
struct Tolerances {
  at::ScalarType type;
  Tolerance score, loss, gradient, metric;
};
const Tolerances kFloat64{
    at::kDouble, {1e-10, 1e-12}, {1e-10, 1e-12}, {1e-10, 1e-12}, {1e-6, 1e-12}};
const Tolerances kFloat32{at::kFloat, {1e-5, 0}, {5e-5, 2e-6}, {2e-4, 0}, {5e-5, 2e-6}};

/// One policy of a fixture: what it says of every sequence of both passes.
struct Policy : Denoiser {
  Tensor m, mc;       // logits of the first and second pass, leaves: [M, B, L or P+L, V]
  Tensor states;      // [2M · B · (P+L), V]
  Tensor tokens;      // what the denoiser must be shown: [2M · B · (P+L)]
  int64_t shift = 0;  // 1: the logits at i predict token i + 1
  Vocabulary vocab;

  Tensor encode(const Packed& x, const Rows& rows) const override {
    EXPECT_TRUE(x.tokens.equal(tokens)) << "the denoiser was shown other tokens";
    return states.index_select(0, rows.index - shift);
  }
  Tensor head() const override { return at::eye(states.size(1), states.options()); }
  const Vocabulary& vocabulary() const override { return vocab; }
};

struct Fixture {
  json info;
  TensorMap tensors;
  int64_t M, B, P, L;
  bool next;

  Fixture(const json& about, const path& folder)
      : info(about), tensors(read_safetensors(folder / about.at("file").get<std::string>())) {
    const json& dims = info.at("dims");
    M = dims.at("M"), B = dims.at("B"), P = dims.at("P"), L = dims.at("L");
    next = info.at("alignment") == "next";
  }
  const Tensor& at(const std::string& name) const { return tensors.at(name); }

  Packed rollouts() const {
    const Tensor tokens = at::cat({at("prompt_ids"), at("completion_ids")}, 1);
    return {tokens.flatten(), std::vector<int64_t>(B, P + L)};
  }
  /// [M, B, L] → [M, N], false at the prompts.
  Tensor over_all(const Tensor& mask) const {
    return at::cat({at::zeros({M, B, P}, at::kBool), mask}, -1).view({M, -1});
  }
  Views views(TokenWeight weight) const {
    const Tensor hidden = at("mask"), x = hidden.sum(-1, true).to(at::kDouble);  // [M, B, 1]
    const Tensor together = at::where(hidden, x, L - x);
    Tensor w = at::ones({M, B, L}, at::kDouble) / 2;
    if (weight == TokenWeight::kElbo) w = w * (static_cast<double>(L) + 1) / together;
    return {rollouts(), over_all(hidden), /*coupled=*/true, w};
  }
  Policy policy(const std::string& name, at::ScalarType type) const {
    Policy p;
    auto leaf = [&](const std::string& pass) {
      return at(name + (next ? ".full_logits_" : ".logits_") + pass).to(type).requires_grad_();
    };
    p.m = leaf("m"), p.mc = leaf("mc");
    Tensor all = at::cat({p.m, p.mc});  // [2M, B, ·, V]
    if (!next) all = at::cat({at::zeros({2 * M, B, P, all.size(3)}, type), all}, 2);
    p.states = all.flatten(0, 2);
    p.shift = next ? 1 : 0;
    p.vocab = {.size = all.size(3), .mask_id = info.at("mask_id")};
    const Tensor hidden = at::cat({over_all(at("mask")), over_all(~at("mask"))});
    p.tokens = at::where(hidden, p.vocab.mask_id, rollouts().tokens.unsqueeze(0)).flatten();
    return p;
  }
};

ObjectiveOptions options_of(const json& fixture) {
  const json& hyper = fixture.at("hyper");
  const double low = hyper.at("eps_lo"), high = hyper.value("eps_hi", low);
  Kl kl = Kl::kK2;
  const std::string name = hyper.value("kl_estimator", "k2");
  if (name == "k1") kl = Kl::kK1;
  if (name == "k3") kl = Kl::kK3;
  const int64_t views = fixture.at("dims").at("M");
  if (fixture.at("method") == "espo")
    return EspoOptions{.beta = hyper.at("beta"),
                       .epsilon_low = low,
                       .epsilon_high = high,
                       .kl = kl,
                       .views = views};
  GdsdOptions o = GdsdOptions::released();
  o.psi = hyper.at("psi"), o.beta = hyper.at("beta"), o.kl = kl, o.views = views;
  o.epsilon_low = low, o.epsilon_high = high;
  return o;
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
  const Tensor used = leaf.grad().slice(2, f.P - 1, f.P - 1 + f.L);
  EXPECT_TRUE(leaf.grad().count_nonzero().equal(used.count_nonzero()));
  return used;
}

void check_loss(const json& info, const path& folder, const Tolerances& t) {
  const Fixture f(info, folder);
  const ObjectiveOptions o = options_of(info);
  const bool mean = info.at("method") == "espo";
  const Views views = f.views(masking(o).weight);
  const Policy current = f.policy("cur", t.type);
  const bool has_old = f.tensors.contains("old.logits_m");
  const bool has_ref = f.tensors.contains("ref.logits_m");

  Batch b{.log_p = log_probs(current, views),
          .log_p_old = {},
          .log_p_ref = {},
          .weight = views.weight.to(t.type),
          .completion = at::ones({f.B, f.L}, at::kBool),
          .advantage = f.at("advantages").to(t.type)};
  b.log_p.retain_grad();
  b.log_p_old = has_old ? log_probs(f.policy("old", t.type), views).detach() : b.log_p.detach();
  if (has_ref) b.log_p_ref = log_probs(f.policy("ref", t.type), views).detach();
  const Loss l = loss(b, o);
  (l.sum / l.count).backward();

  auto check_tensor = [&](const Tensor& got, const std::string& name, const Tolerance& by) {
    expect_close(got, f.at("expected." + name), by.relative, by.absolute, name);
  };
  auto score = [&](const Tensor& log_p) {
    const Tensor s = (b.weight * log_p).sum(-1);  // [M, B]
    return mean ? s.mean(0).unsqueeze(1) : s.t();
  };
  check_tensor(score(b.log_p), "score", t.score);
  if (has_old) check_tensor(score(b.log_p_old), "score_old", t.score);
  if (has_ref) check_tensor(score(b.log_p_ref), "score_ref", t.score);
  check_tensor(l.sum / l.count, "loss", t.loss);
  check_tensor(gradient_of_score(b, mean), "grad_score", t.gradient);
  check_tensor(gradient_of_logits(f, current.m), "grad_logits_m", t.gradient);
  check_tensor(gradient_of_logits(f, current.mc), "grad_logits_mc", t.gradient);
  check_metrics(l, o, info.at("expected").at("metrics"), t.metric);
}

}  // namespace

void add_loss(const json& fixture, const path& folder) {
  const std::string name = fixture.at("name");
  add_test("Loss", name + "/float64", [=] { check_loss(fixture, folder, kFloat64); });
  add_test("Loss", name + "/float32", [=] { check_loss(fixture, folder, kFloat32); });
}

}  // namespace gdsd::golden
