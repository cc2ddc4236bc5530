#include "gdsd/diagnose/diagnose.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "gdsd/diagnose/gradient_noise.h"
#include "gdsd/reward/rewards.h"
#include "gdsd/train/backward.h"

namespace gdsd {

namespace {

/// The rollouts, which all methods look at, and one method after another.
class Examination {
 public:
  Examination(const Subject& subject, const DiagnoseOptions& options)
      : s_(subject), o_(options), key_(Key{options.seed}.fork("diagnose")) {}

  void act();
  void find_likelihoods();
  MethodDiagnosis examine(const Candidate& candidate);
  Diagnosis& found() { return found_; }

 private:
  /// What the advantages and the losses see of the rollouts as a whole.
  struct Outlook {
    Tensor advantage, elbo_old;  // [B]
  };
  Outlook outlook(const ObjectiveOptions& objective, bool at_present) const;
  /// What both denoisers say of the tokens that a draw asks for, [K, B, C] each.
  struct Said {
    Tensor old, present;
  };
  const Said& said_of(const Views& views, const MaskingOptions& masks, int64_t r);
  std::vector<Draw> draw(const ObjectiveOptions& objective, const MaskingOptions& masks,
                         int64_t draws);
  void look_at_scores(MethodDiagnosis& d, const std::vector<Draw>& draws,
                      const ObjectiveOptions& objective) const;
  void compare_with_truth(MethodDiagnosis& d) const;
  void look_at_losses(MethodDiagnosis& d, const std::vector<Draw>& draws,
                      const ObjectiveOptions& objective) const;
  int64_t micro(int64_t passes) const {
    return piece_size(found_.rollouts, std::max<int64_t>(1, o_.batch / passes), s_.old);
  }

  const Subject& s_;
  const DiagnoseOptions& o_;
  Key key_;
  std::vector<Example> problems_;
  Rollouts rollouts_;
  std::vector<double> rewards_;
  std::map<std::string, Said> said_;  // by draw and masking
  Diagnosis found_;
};

void Examination::act() {
  const auto source = problems_of(s_.task);
  for (int64_t p = 0; p < o_.prompts; ++p)
    problems_.push_back(source->draw(Split::kTrain, key_.fork("problem", p)));
  rollouts_ = rollout(s_.old, s_.tokenizer, problems_, s_.rollout, key_.fork("rollout"));
  rewards_ = score(rollouts_.attempts, rewards_for(s_.task)).total;
  const auto B = std::ssize(rewards_);
  const auto n = static_cast<double>(B);
  found_.rollouts = B;
  found_.group_size = o_.group_size;
  found_.completion = rollouts_.length;
  found_.reward = std::accumulate(rewards_.begin(), rewards_.end(), 0.0) / n;
  found_.length = rollouts_.completion.sum().item<double>() / n;
}

void Examination::find_likelihoods() {
  const int64_t n = std::min(o_.problems, o_.prompts) * o_.group_size;
  const Completed some{.sequences = slice(rollouts_.sequences, 0, n),
                       .length = rollouts_.length,
                       .eos = {rollouts_.eos.begin(), rollouts_.eos.begin() + n},
                       .step = {}};
  const Key key = key_.fork("likelihood");
  found_.old = likelihoods(s_.old, some, s_.rollout.sampler, o_.likelihood, key);
  found_.present = likelihoods(s_.present, some, s_.rollout.sampler, o_.likelihood, key);
}

/// The old denoiser is the reference: their ratio is 0, and so is that of the present at the old.
Examination::Outlook Examination::outlook(const ObjectiveOptions& objective,
                                          bool at_present) const {
  const AdvantageOptions& a = advantage(objective);
  LogRatios ratios;
  Outlook out;
  if (needs_elbo(objective)) {
    const Views views = mask(rollouts_, a.elbo, o_.group_size, key_.fork("elbo"));
    const int64_t each = micro(views.hidden.size(0));
    out.elbo_old = score_rollouts(s_.old, views, each);
    ratios.reference = ratios.current = at::zeros_like(out.elbo_old);
    if (at_present && a.needs_current())
      ratios.current = score_rollouts(s_.present, views, each) - out.elbo_old;
  }
  out.advantage = gdsd::advantage(rewards_, o_.group_size, a, ratios);
  return out;
}

/// What a draw hides is the same for all methods that hide alike, and so is what is said of it.
const Examination::Said& Examination::said_of(const Views& views, const MaskingOptions& masks,
                                              int64_t r) {
  std::string name = concat(r);
  for (const Field& field : list_fields(masks))
    if (field.path != "weight") name += " " + field.text;
  const auto [place, is_new] = said_.try_emplace(name);
  if (is_new) {
    // score_views calls its first denoiser old and its second reference.
    const Scored both = score_views(&s_.old, &s_.present, views, micro(views.hidden.size(0)));
    place->second = {both.batch.log_p_old, both.batch.log_p_ref};
  }
  return place->second;
}

std::vector<Draw> Examination::draw(const ObjectiveOptions& objective, const MaskingOptions& masks,
                                    int64_t draws) {
  const Outlook from = outlook(objective, /*at_present=*/false);
  std::vector<Draw> all;
  for (int64_t r = 0; r < draws; ++r) {
    const Views views = mask(rollouts_, masks, o_.group_size, key_.fork("mask", r));
    const Said& said = said_of(views, masks, r);
    const auto like = said.old.options();
    Draw d{.views = views, .batch = {}, .log_p_new = said.present};
    d.batch.log_p_old = said.old;
    d.batch.weight = views.weight.to(like);
    d.batch.completion = rollouts_.completion.to(like.device());
    d.batch.advantage = from.advantage.to(like);
    if (from.elbo_old.defined()) d.batch.elbo_old = from.elbo_old.to(like);
    all.push_back(std::move(d));
  }
  return all;
}

/// Scores of every rollout at every K of the curve, and their spread over the draws.
void Examination::look_at_scores(MethodDiagnosis& d, const std::vector<Draw>& draws,
                                 const ObjectiveOptions& objective) const {
  // All K views say what one does, with less noise, where they are alike.
  const int64_t mean_of = is_mean_of_views(objective) ? d.curve.back() : d.views;
  for (int64_t K : d.curve) {
    std::vector<Tensor> old, present;
    for (const Draw& one : draws) {
      old.push_back(rollout_score(batch_of(one, one.batch.log_p_old, K), objective));
      present.push_back(rollout_score(batch_of(one, one.log_p_new, K), objective));
    }
    const Tensor before = at::stack(old), after = at::stack(present);  // [R, B]
    d.score_sd.push_back(std::sqrt(variance_over_draws(before)));
    d.change_sd.push_back(std::sqrt(variance_over_draws(after - before)));
    if (K != mean_of) continue;
    d.score_old = to_vector<double>(before.mean(0));
    d.score_new = to_vector<double>(after.mean(0));
    d.between = before.mean(0).std(0, /*unbiased=*/true).item<double>();
  }
}

void Examination::compare_with_truth(MethodDiagnosis& d) const {
  if (!found_.old) return;
  const Tensor truth = found_.old->log_p, now = found_.present->log_p;
  const int64_t n = truth.numel();
  const Tensor old = to_tensor(d.score_old).slice(0, 0, n);
  const Tensor present = to_tensor(d.score_new).slice(0, 0, n);
  d.score = agreement(old, truth, o_.group_size);
  d.change = agreement(present - old, now - truth, o_.group_size);
}

/// |dL/d log p| of a batch: where it lies.
struct Mass {
  Tensor by_count = at::zeros({kBins}, at::kDouble);  // [kBins]
  double after_eos = 0;

  void add(Batch batch, const Tensor& bin, const ObjectiveOptions& objective) {
    batch.log_p = batch.log_p.detach().clone().requires_grad_();
    loss(batch, objective).sum.backward();
    const Tensor slope = batch.log_p.grad().abs().to(at::kCPU, at::kDouble);  // [K, B, C]
    by_count.index_add_(0, bin.flatten(), slope.flatten());
    after_eos += (slope * batch.completion.cpu().logical_not()).sum().item<double>();
  }
  Weight shares() const {
    const double all = by_count.sum().item<double>();
    return {.by_count = to_vector<double>(by_count / all), .after_eos = after_eos / all};
  }
};

void Examination::look_at_losses(MethodDiagnosis& d, const std::vector<Draw>& draws,
                                 const ObjectiveOptions& objective) const {
  const Outlook now = outlook(objective, /*at_present=*/true);
  Mass first, present;
  Tensor tokens = at::zeros({kBins}, at::kDouble);
  double clipped = 0, count = 0;
  bool clips = false;
  for (const Draw& one : draws) {
    const Tensor hidden = hidden_counts(first_views(one.views, d.views));  // [K, B, C]
    const Tensor bin = ((hidden * kBins - 1).clamp_min(0)).floor_divide(found_.completion);
    tokens.index_add_(0, bin.flatten(), (hidden > 0).flatten().to(at::kDouble));
    first.add(batch_of(one, one.batch.log_p_old, d.views), bin, objective);
    Batch batch = batch_of(one, one.log_p_new, d.views);
    batch.advantage = now.advantage.to(batch.advantage.options());
    present.add(batch, bin, objective);
    const Loss l = loss(batch, objective);
    const auto found = l.metrics.find("clipped");
    count += l.count;
    if (found == l.metrics.end()) continue;
    clips = true;
    clipped += found->second.item<double>();
  }
  d.first = first.shares();
  d.present = present.shares();
  d.tokens = to_vector<double>(tokens / tokens.sum());
  if (clips) d.clipped = clipped / std::max(count, 1.0);
}

MethodDiagnosis Examination::examine(const Candidate& candidate) {
  const ObjectiveOptions& objective = candidate.objective;
  MaskingOptions masks = masking(objective);
  const bool fixed = is_deterministic(masks);
  MethodDiagnosis d;
  d.name = candidate.name;
  d.views = masks.views;
  if (!fixed) masks.views = std::max(o_.views, masks.views);
  const std::vector<Draw> draws = draw(objective, masks, fixed ? 1 : o_.draws);
  if (fixed) d.views = draws[0].views.weight.size(0);
  for (int64_t K = 1; !fixed && K < masks.views; K *= 2) d.curve.push_back(K);
  for (int64_t K : {masks.views, d.views}) {
    const int64_t last = fixed ? d.views : K;
    const auto place = std::lower_bound(d.curve.begin(), d.curve.end(), last);
    if (place == d.curve.end() || *place != last) d.curve.insert(place, last);
  }
  d.own = std::find(d.curve.begin(), d.curve.end(), d.views) - d.curve.begin();
  look_at_scores(d, draws, objective);
  compare_with_truth(d);
  look_at_losses(d, draws, objective);
  const auto some = std::min<size_t>(draws.size(), o_.gradient_draws);
  for (int64_t K : d.curve)
    if (some > 0)
      d.gradient.push_back(
          gradient_noise(s_.old, std::span(draws).first(some), K, objective, o_.batch).noise);
  return d;
}

}  // namespace

void DiagnoseOptions::validate() const {
  check_count(prompts, "prompts", 1, 100'000);
  check_count(group_size, "group_size", 2, 100'000);
  check_count(problems, "problems", 0, 100'000);
  check_count(views, "views", 1, 1000);
  check_count(draws, "draws", 2, 100'000);
  check_field(gradient_draws == 0 || (gradient_draws >= 2 && gradient_draws <= draws),
              "gradient_draws", "got ", gradient_draws, ", expected 0, or 2 … draws.");
  check_count(batch, "batch", 1, 1'000'000);
}

Diagnosis diagnose(const Subject& subject, const DiagnoseOptions& options,
                   const std::function<void(const std::string&)>& progress) {
  std::vector<Candidate> candidates = candidates_called(options.methods);
  if (const auto own = own_candidate(subject.objective); own && options.methods == "all")
    candidates.insert(candidates.begin(), *own);
  try {
    if (options.problems > 0) check_has_likelihood(subject.rollout.sampler);
  } catch (const Error& e) {
    throw Error(concat(e.what(), " problems=0 leaves the likelihood out."));
  }
  Examination examination(subject, options);
  progress("rollouts");
  examination.act();
  if (options.problems > 0) {
    progress("the sampler's likelihood of them");
    examination.find_likelihoods();
  }
  std::vector<MethodDiagnosis> methods;
  for (const Candidate& candidate : candidates) {
    progress(candidate.name);
    methods.push_back(examination.examine(candidate));
  }
  examination.found().methods = std::move(methods);
  return examination.found();
}

}  // namespace gdsd
