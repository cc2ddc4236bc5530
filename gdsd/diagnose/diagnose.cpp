#include "gdsd/diagnose/diagnose.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <set>

#include "gdsd/diagnose/gradient_noise.h"
#include "gdsd/reward/judge.h"
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
  struct GroupContext {
    Tensor advantage, elbo_old;  // [B]
  };
  GroupContext group_context(const ObjectiveOptions& objective, bool at_present) const;
  /// What both denoisers say of the tokens that a draw asks for, [K, B, C] each.
  struct TokenLogProbs {
    Tensor old, present;
  };
  const TokenLogProbs& log_probs_of(const Views& views, const MaskingOptions& masks, int64_t r);
  std::vector<Draw> draw(const ObjectiveOptions& objective, const MaskingOptions& masks,
                         int64_t draws);
  void look_at_scores(MethodDiagnosis& d, const std::vector<Draw>& draws,
                      const ObjectiveOptions& objective) const;
  void compare_with_truth(MethodDiagnosis& d, const Tensor& before, const Tensor& after) const;
  void look_at_ratios(MethodDiagnosis& d, const std::vector<Draw>& draws,
                      const ObjectiveOptions& objective) const;
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
  std::map<std::string, TokenLogProbs> log_probs_;  // by draw and masking
  Diagnosis found_;
};

void Examination::act() {
  const auto source = problems_of(s_.task, s_.chat);
  for (int64_t p = 0; p < o_.prompts; ++p)
    problems_.push_back(source->draw(Split::kTrain, key_.fork("problem", p)));
  rollouts_ = rollout(s_.old, s_.tokenizer, problems_, s_.rollout, key_.fork("rollout"));
  rewards_ = score(rollouts_.attempts, Judge(s_.task).rewards()).total;
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
Examination::GroupContext Examination::group_context(const ObjectiveOptions& objective,
                                                     bool at_present) const {
  const AdvantageOptions& a = advantage(objective);
  LogRatios ratios;
  GroupContext out;
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
const Examination::TokenLogProbs& Examination::log_probs_of(const Views& views,
                                                            const MaskingOptions& masks,
                                                            int64_t r) {
  std::string name = concat(r);
  for (const Field& field : list_fields(masks))
    if (field.path != "weight") name += " " + field.text;
  const auto [place, is_new] = log_probs_.try_emplace(name);
  if (is_new) {
    // score_views calls its first denoiser old and its second reference.
    const Scored both = score_views(&s_.old, &s_.present, views, micro(views.hidden.size(0)));
    place->second = {both.batch.log_p_old, both.batch.log_p_ref};
  }
  return place->second;
}

std::vector<Draw> Examination::draw(const ObjectiveOptions& objective, const MaskingOptions& masks,
                                    int64_t draws) {
  const GroupContext from = group_context(objective, /*at_present=*/false);
  std::vector<Draw> all;
  for (int64_t r = 0; r < draws; ++r) {
    const Views views = mask(rollouts_, masks, o_.group_size, key_.fork("mask", r));
    const TokenLogProbs& both = log_probs_of(views, masks, r);
    const auto like = both.old.options();
    Draw d{.views = views, .batch = {}, .log_p_new = both.present};
    d.batch.log_p_old = both.old;
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
    if (K == mean_of) compare_with_truth(d, before, after);
  }
}

/// Draws of the scores under both denoisers, [R, B].
void Examination::compare_with_truth(MethodDiagnosis& d, const Tensor& before,
                                     const Tensor& after) const {
  d.score_old = to_vector<double>(before.mean(0));
  d.score_new = to_vector<double>(after.mean(0));
  d.between = spread(before);
  if (!found_.old) return;
  const Tensor truth = found_.old->log_p, now = found_.present->log_p;
  const int64_t n = truth.numel();
  d.score = agreement(before.slice(1, 0, n), truth, o_.group_size);
  d.change = agreement((after - before).slice(1, 0, n), now - truth, o_.group_size);
}

void Examination::look_at_ratios(MethodDiagnosis& d, const std::vector<Draw>& draws,
                                 const ObjectiveOptions& objective) const {
  std::vector<Tensor> logs, masks;
  for (const Draw& one : draws) {
    const auto ratios = policy_ratios(batch_of(one, one.log_p_new, d.views), objective);
    if (!ratios) return;
    logs.push_back(ratios->log);
    masks.push_back(ratios->asked);
  }
  const Tensor asked = at::stack(masks);  // [R, B, T]
  const RatioMeans means = ratio_means(at::stack(logs), asked);
  d.ratio_bias = finite_mean(means.log_mean - means.mean_log);
  if (!found_.old) return;
  const int64_t n = found_.old->log_p.numel();
  Tensor tokens = asked.any(0).sum(1);                          // [B], that the ratios are of
  if (asked.size(2) == 1) tokens = tokens * found_.completion;  // one of all
  const Tensor truth = (found_.present->log_p - found_.old->log_p) / tokens.slice(0, 0, n);
  d.ratio_error = finite_mean(means.log_mean.slice(0, 0, n) - truth);
}

void Examination::look_at_losses(MethodDiagnosis& d, const std::vector<Draw>& draws,
                                 const ObjectiveOptions& objective) const {
  const GroupContext now = group_context(objective, /*at_present=*/true);
  d.loss = loss_figures(draws, d.views, objective, now.advantage);
  const auto some = std::min<size_t>(draws.size(), o_.gradient_draws);
  for (int64_t K : d.curve)
    if (some > 0)
      d.gradient.push_back(
          gradient_noise(s_.old, std::span(draws).first(some), K, objective, o_.batch).noise);
}

/// 1, 2, 4, … below `most`, `most`, and `own`: ascending.
std::vector<int64_t> curve_of(int64_t most, int64_t own) {
  std::set<int64_t> all{most, own};
  for (int64_t K = 1; K < most; K *= 2) all.insert(K);
  return {all.begin(), all.end()};
}

MethodDiagnosis Examination::examine(const Candidate& candidate) {
  const ObjectiveOptions& objective = candidate.objective;
  MaskingOptions masks = masking(objective);
  const bool is_trace = masks.pattern == Pattern::kTrace, fixed = is_deterministic(masks);
  MethodDiagnosis d;
  d.name = candidate.name;
  d.views = masks.views;
  if (!fixed && !is_trace) masks.views = std::max(o_.views, masks.views);
  const std::vector<Draw> draws = draw(objective, masks, fixed ? 1 : o_.draws);
  if (is_trace) d.views = draws[0].views.weight.size(0);
  d.curve = fixed || is_trace ? std::vector{d.views} : curve_of(masks.views, d.views);
  d.own = std::find(d.curve.begin(), d.curve.end(), d.views) - d.curve.begin();
  look_at_scores(d, draws, objective);
  look_at_ratios(d, draws, objective);
  look_at_losses(d, draws, objective);
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
