// What is wrong with each method's gradient, measured on one batch of rollouts: whether its score
// stands for the sampler's likelihood, how noisy it is, what its trust region stops, and where its
// gradient comes from. docs/diagnose.md defines every figure.
#pragma once

#include <functional>

#include "gdsd/data/task.h"
#include "gdsd/denoiser/model.h"
#include "gdsd/diagnose/candidates.h"
#include "gdsd/diagnose/gradient_share.h"
#include "gdsd/diagnose/likelihood.h"
#include "gdsd/diagnose/statistics.h"
#include "gdsd/rollout/rollout.h"

namespace gdsd {

struct DiagnoseOptions {
  int64_t prompts = 8;
  int64_t group_size = 8;
  uint64_t seed = 1;
  int64_t problems = 8;
  LikelihoodOptions likelihood = {};
  int64_t views = 8;
  int64_t draws = 16;
  int64_t gradient_draws = 6;
  std::string methods = "all";
  std::string old = "";
  int64_t batch = 256;
  ComputeOptions compute = {};

  template <class F>
  void fields(F&& f) {
    f("prompts", prompts, "problems to draw, of the training split");
    f("group_size", group_size, "G: rollouts of each, by the old denoiser");
    f("seed", seed, "of problems, rollouts and masks");
    f("problems", problems,
      "how many of the problems have the sampler's likelihood of their rollouts computed, 0 for "
      "none: where the sampler is one for which it is not known");
    f("likelihood", likelihood, "");
    f("views", views, "greatest K of the curves, which are at 1, 2, 4, …");
    f("draws", draws, "independent draws of masks, for scores");
    f("gradient_draws", gradient_draws, "of these how many have gradients taken, 0 for none");
    f("methods", methods, "all, or names with commas between them");
    f("old", old,
      "the checkpoint, of the same run, that makes the rollouts and is the old denoiser; by "
      "default the run's model");
    f("batch", batch, "masked sequences in one pass of the model; for less memory");
    f("compute", compute, "");
  }
  void validate() const;
};

/// What is diagnosed: a run's task and rollouts, its base and what became of it.
struct Subject {
  const Transformer& old;   // makes the rollouts, and stands for the reference; with gradients
  const Denoiser& present;  // the checkpoint
  const Tokenizer& tokenizer;
  ChatTemplate chat;
  const TaskOptions& task;
  RolloutOptions rollout;
  ObjectiveOptions objective;  // the run's own
};

struct MethodDiagnosis {
  std::string name;
  int64_t views = 0;  // K that the method uses; of tracerl the denoising steps
  // Of each rollout, the mean over masks, [B] nats: see rollout_score.
  std::vector<double> score_old, score_new;
  std::optional<Agreement> score, change;  // with log p_sampler, of the old; and new − old
  Spread between;                          // of score_old between all rollouts

  // At K = 1, 2, 4, …, and the method's own.
  std::vector<int64_t> curve;
  std::vector<double> score_sd;   // over masks, of one rollout's score, root mean square
  std::vector<double> change_sd;  // the same of new − old
  std::vector<double> gradient;   // GradientNoise::noise; empty without gradient_draws
  size_t own = 0;                 // which of the curve is the method's own K

  // Means over rollouts, of a method with ratios ρ = e^d; see policy_ratios.
  std::optional<double> ratio_bias;   // log E ρ − E d over masks: what their noise adds
  std::optional<double> ratio_error;  // log E ρ − the true log-ratio, for each token

  LossFigures loss;
};

struct Diagnosis {
  int64_t rollouts = 0, group_size = 0, completion = 0;  // B, G, C
  double reward = 0, length = 0;                         // means over rollouts; until EOS
  std::optional<Likelihoods> old, present;               // of the first problems · G rollouts
  std::vector<MethodDiagnosis> methods;
};

/// `progress` hears what is being done.
Diagnosis diagnose(const Subject& subject, const DiagnoseOptions& options,
                   const std::function<void(const std::string&)>& progress);

}  // namespace gdsd
