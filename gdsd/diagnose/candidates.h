// Every method by name, and what it puts in place of log π(rollout).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "gdsd/objective/objectives.h"

namespace gdsd {

struct Candidate {
  std::string name;  // as objective.name would say it: "gdsd", "gdsd_released"
  ObjectiveOptions objective;
};

/// Every alternative of ObjectiveOptions, followed by its released preset where it has one.
std::vector<Candidate> every_candidate();

/// "all", or those whose names stand in `names` with commas between them. Throws Error for others.
std::vector<Candidate> candidates_called(const std::string& names);

/// A run's own objective as "gdsd*", or nullopt if it is one of every_candidate().
std::optional<Candidate> own_candidate(const ObjectiveOptions& objective);

/// What stands for log π of each rollout in the loss, from batch.log_p: [B] float64, in nats of a
/// whole completion:
///   gdsd, gdsd_tlc, espo            mean_k Σ_i w_i log p        U, or the ELBO
///   wd1, diffu_grpo, coupled_grpo   mean_k Σ_i w_i log p        mean field; coupled: averaged
///   dmpo                            C mean_k (1/n) Σ_i log p
///   spg                             c s                         lower bound where A > 0, else `bound`
///   tracerl                         Σ_steps Σ log p             of what each step revealed
Tensor rollout_score(const Batch& batch, const ObjectiveOptions& objective);

/// The ratios ρ = exp(log) that a PPO-like loss clips: T of a rollout.
struct PolicyRatios {
  Tensor log;  // [B, T] float64: espo C⁻¹ Σ (T = 1); diffu_grpo, coupled_grpo, tracerl a token's
  Tensor asked;  // [B, T] bool: those in the loss
};
/// Of batch.log_p to log_p_old, or nullopt for a method without ratios.
std::optional<PolicyRatios> policy_ratios(const Batch& batch, const ObjectiveOptions& objective);

/// Whether no draw enters the views: then one of them says all.
bool is_deterministic(const MaskingOptions& masking);

/// Whether the score of K views is the mean of K scores of one view each, all alike.
bool is_mean_of_views(const ObjectiveOptions& objective);

}  // namespace gdsd
