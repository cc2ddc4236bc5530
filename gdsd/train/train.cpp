#include "gdsd/train/train.h"

#include <ATen/Parallel.h>

#include "gdsd/train/gradient.h"
#include "gdsd/train/plan.h"
#include "gdsd/train/summary.h"

namespace gdsd {

namespace {

using Metrics = std::map<std::string, double>;

/// What the rollouts themselves say.
Metrics describe(const Rollouts& rollouts, const Judged& judged, int64_t G) {
  const auto& [scores, verdicts] = judged;
  Metrics m;
  const auto B = static_cast<double>(rollouts.attempts.size());
  for (size_t b = 0; b < rollouts.attempts.size(); ++b) {
    m["reward"] += scores.total[b] / B;
    m["solved"] += verdicts[b].solved / B;
    if (!verdicts[b].outcome.empty()) m["outcome/" + verdicts[b].outcome] += 1 / B;
  }
  for (const auto& [name, mean] : scores.mean) m["reward/" + name] = mean;
  m["zero_variance_groups"] = zero_variance_groups(scores.total, G);
  for (const auto& [b, share] : rollouts.agreement)
    m["token_agreement"] += share / static_cast<double>(rollouts.agreement.size());
  m["completion_length"] = rollouts.completion.sum().item<double>() / B;
  return m;
}

/// The means over inner steps of what each of them reports.
void add_pass(Metrics& m, const Loss& total, double grad_norm, int64_t passes) {
  const auto n = static_cast<double>(passes);
  m["loss"] += total.sum.item<double>() / total.count / n;
  m["grad_norm"] += grad_norm / n;
  for (const auto& [name, sum] : total.metrics) m[name] += sum.item<double>() / total.count / n;
}

/// The models, and one step of training them.
class Trainer {
 public:
  Trainer(const TrainConfig& config, const Compute& compute, const std::filesystem::path& from)
      : config_(config),
        compute_(compute),
        judge_(config.task),
        problems_(problems_of(config.task, chat_of(config.model))),
        model_(load_of_run(config.model, from, compute, Use::kTraining, config.lora,
                           Key{config.seed}.fork("lora"))),
        optimizer_(model_.denoiser->trainable(), config.optimizer,
                   config.steps * config.inner_steps) {
    if (config.eval.every > 0) count_problems(*problems_, config.eval);
    if (needs_reference(config.objective)) reference_ = make_reference();
    check_fits(model_, *problems_, config.rollout.sampler.gen_length);
  }

  const Model& model() const { return model_; }
  Optimizer& optimizer() { return optimizer_; }
  int64_t rollouts() const { return config_.rollout.prompts * config_.rollout.group_size; }

  SummaryRows summary() const;
  Metrics evaluate() const;
  Metrics step(Key key, PhaseClock& clock);

 private:
  /// One step under way.
  struct Step {
    Rollouts rollouts;
    int64_t micro = 0;
    std::vector<double> rewards = {};
    Metrics metrics = {};
    Views elbo_views = {};
    Tensor elbo_old = {};
    LogRatios ratios = {};
    int64_t passes_done = 0;
  };
  void look_at_elbos(Step& step, Key key) const;
  std::vector<Scored> look_back(const Step& step, Key key) const;
  void learn(Step& step, Scored& pass);

  /// The model as it was: with an adapter the same weights without it, never a second copy.
  std::unique_ptr<Denoiser> make_reference() const {
    if (model_.denoiser->adapter().empty())
      return load_denoiser(config_.model, compute_, Use::kInference);
    return std::make_unique<Transformer>(model_.denoiser->with_adapter({}));
  }

  const TrainConfig& config_;
  Compute compute_;
  Judge judge_;
  std::unique_ptr<Problems> problems_;
  Model model_;  // after what is found wrong sooner
  std::unique_ptr<Denoiser> reference_;
  Optimizer optimizer_;
};

SummaryRows Trainer::summary() const {
  const RolloutOptions& r = config_.rollout;
  SummaryRows rows = summarise_model(*model_.denoiser, compute_);
  const auto task = std::visit([](const auto& t) { return t.kName; }, config_.task);
  const auto objective = std::visit([](const auto& o) { return o.kName; }, config_.objective);
  const auto train = std::visit([](const auto& t) { return t.files.train; }, config_.task);
  rows.emplace_back("data", concat(task, train.empty() ? ", generated problems" : ", of " + train));
  rows.emplace_back("rollouts", concat(rollouts(), " a step: ", r.prompts, " problems × ",
                                       r.group_size, ", ", r.sampler.describe()));
  rows.emplace_back("objective",
                    concat(objective, ", ", config_.inner_steps,
                           " optimiser steps a step, learning rate ", config_.optimizer.lr));
  rows.emplace_back("memory", training_memory(*model_.denoiser, compute_, reference_ != nullptr));
  rows.emplace_back("run folder", config_.run_dir);
  return rows;
}

Metrics Trainer::evaluate() const {
  return gdsd::evaluate(*model_.denoiser, *model_.tokenizer, *problems_, judge_,
                        config_.rollout.sampler, config_.eval)
      .metrics();
}

/// ELBOs under the old denoiser and the reference, where loss or advantage look at them.
void Trainer::look_at_elbos(Step& step, Key key) const {
  if (!needs_elbo(config_.objective)) return;
  const AdvantageOptions& options = advantage(config_.objective);
  step.elbo_views = mask(step.rollouts, options.elbo, config_.rollout.group_size, key.fork("elbo"));
  step.elbo_old = score_rollouts(*model_.denoiser, step.elbo_views, step.micro);
  step.ratios.current = at::zeros_like(step.elbo_old);
  if (options.needs_reference())
    step.ratios.reference =
        score_rollouts(*reference_, step.elbo_views, step.micro) - step.elbo_old;
}

/// What the old and the reference denoiser say, before anything changes. At the first inner step
/// the old denoiser is the present one: its scores come with the gradient's.
std::vector<Scored> Trainer::look_back(const Step& step, Key key) const {
  std::vector<Scored> passes;
  const bool old = needs_old(config_.objective);
  const Denoiser* reference =
      std::visit([](const auto& o) { return o.needs_reference(); }, config_.objective)
          ? reference_.get()
          : nullptr;
  for (int64_t i = 0; i < config_.inner_steps; ++i) {
    const Views views = mask(step.rollouts, masking(config_.objective), config_.rollout.group_size,
                             key.fork("mask", i));
    const bool at_once = i == 0 && compute_.reuse;
    passes.push_back(score_views(old && !at_once ? model_.denoiser.get() : nullptr, reference,
                                 views, step.micro));
    passes.back().batch.completion = step.rollouts.completion.to(compute_.device);
  }
  return passes;
}

/// One optimiser step. The advantages are those of this pass.
void Trainer::learn(Step& step, Scored& pass) {
  const AdvantageOptions& options = advantage(config_.objective);
  if (options.needs_current() && step.passes_done > 0)
    step.ratios.current =
        score_rollouts(*model_.denoiser, step.elbo_views, step.micro) - step.elbo_old;
  const auto like = pass.batch.weight.options();
  pass.batch.advantage =
      advantage(step.rewards, config_.rollout.group_size, options, step.ratios).to(like);
  if (step.elbo_old.defined()) pass.batch.elbo_old = step.elbo_old.to(like);

  const Loss total = loss_and_gradient(*model_.denoiser, pass, config_.objective, step.micro);
  add_pass(step.metrics, total, optimizer_.step(total.count), config_.inner_steps);
  ++step.passes_done;
}

Metrics Trainer::step(Key key, PhaseClock& clock) {
  const Transformer& denoiser = *model_.denoiser;
  // 1. Act: problems → rollouts → rewards.
  clock.begin(Phase::kAct);
  std::vector<Example> problems;
  for (int64_t p = 0; p < config_.rollout.prompts; ++p)
    problems.push_back(problems_->draw(Split::kTrain, key.fork("problem", p)));
  Step step{.rollouts = rollout(denoiser, *model_.tokenizer, problems, config_.rollout,
                                key.fork("rollout")),
            .micro = piece_size(rollouts(), config_.micro_batch, denoiser)};
  clock.begin(Phase::kReward);
  const Judged judged =
      judge_.judge(step.rollouts.attempts,
                   static_cast<int>(std::max<int64_t>(denoiser.workers(), at::get_num_threads())));
  step.rewards = judged.scores.total;
  step.metrics = describe(step.rollouts, judged, config_.rollout.group_size);

  // 2. Look back.
  clock.begin(Phase::kLookBack);
  look_at_elbos(step, key);
  std::vector<Scored> passes = look_back(step, key);

  // 3. Learn: advantages and one optimiser step per pass.
  clock.begin(Phase::kLearn);
  step.metrics["lr"] = optimizer_.learning_rate();
  for (Scored& pass : passes) learn(step, pass);
  return step.metrics;
}

}  // namespace

void TrainConfig::validate() const {
  RunOptions::validate();
  check_field(!model.empty(), "model", "must be given: a Hugging Face folder.");
  check_count(inner_steps, "inner_steps", 1, 10'000);
  check_field(micro_batch >= 0, "micro_batch", "must not be negative, got ", micro_batch, ".");
  check_field(rollout.group_size > 1, "rollout.group_size",
              "advantages compare the rollouts of a group: expected two or more, got ",
              rollout.group_size, ".");
  const auto check_least = [&](const MaskingOptions& o, const char* path) {
    check_field(o.least <= rollout.sampler.gen_length, path, "got ", o.least,
                ", but a completion has rollout.sampler.gen_length=", rollout.sampler.gen_length,
                " tokens.");
  };
  check_least(masking(objective), "objective.masking.least");
  check_least(advantage(objective).elbo, "objective.advantage.elbo.least");
}

Outcome train(const TrainConfig& asked, Existing existing, Observer& observer) {
  const ModelConfig model = config_of(asked.model);
  Compute compute = open_compute(asked.compute, model.architecture.width);
  settle_checkpointing(asked, model, existing, compute);
  TrainConfig config = asked;
  config.compute = compute.settled;
  Run run(config, list_fields(config), config.model, existing, observer);
  if (run.finished()) return run.leave(), Outcome::kDone;
  Trainer trainer(config, compute, run.model_folder().value_or(config.model));
  run.restore(trainer.optimizer());
  run.begin(trainer.summary(), trainer.rollouts() * config.rollout.sampler.gen_length);

  PhaseClock clock(observer);
  for (int64_t step = run.first_step(); step <= config.steps; ++step) {
    Metrics metrics;
    if (step > 0) metrics = trainer.step(Key{config.seed}.fork("step", step), clock);
    if (run.evaluation_due(step)) {
      clock.begin(Phase::kEvaluate);
      metrics.merge(trainer.evaluate());
    }
    if (!run.finish_step(step, metrics, clock, trainer.model(), trainer.optimizer()))
      return Outcome::kInterrupted;
  }
  return Outcome::kDone;
}

}  // namespace gdsd
