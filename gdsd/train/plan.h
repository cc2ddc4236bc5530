// What a training run will need, found by running its steps on tensors that have shapes and no
// data (tally.h): no weights are read, and nothing is computed.
#pragma once

#include "gdsd/train/train.h"

namespace gdsd {

/// Bytes. Everything after `optimizer` comes on top of what lasts, and not at the same time.
struct Plan {
  int64_t weights = 0;    // as they are stored
  int64_t reference = 0;  // a frozen copy, where the objective asks for one
  int64_t adapter = 0;
  int64_t optimizer = 0;  // the two moments of what is trained
  int64_t graphs = 0;     // on a GPU: what the recorded steps of rollouts and evaluation keep

  int64_t rollout = 0;      // sampling
  int64_t evaluation = 0;   // the same, on held-out problems
  int64_t scoring = 0;      // log-probabilities without gradients
  int64_t activations = 0;  // kept for the backward pass of one micro-batch
  int64_t learning = 0;     // the whole backward pass: activations, head, gradients

  // Floating-point operations of one step, a multiplication and an addition as two; of a sampler with
  // a threshold the most that it can take.
  double rollout_flops = 0, scoring_flops = 0, learning_flops = 0;

  int64_t lasting() const { return weights + reference + adapter + optimizer + graphs; }
  int64_t peak() const { return lasting() + std::max({rollout, evaluation, scoring, learning}); }
};

/// Of `config` for such a model computed as `compute` says (its device only tells whether what
/// the CPU holds counts: on a GPU the noise of the sampler does not), with prompts of P tokens.
Plan make_plan(const TrainConfig& config, const ModelConfig& model, const Compute& compute,
               int64_t P);

/// Tokens of the longest of some prompts of the task; 0 where the model's folder has no tokenizer.
int64_t longest_prompt(const TrainConfig& config);

/// What `auto` means for compute.activation_checkpointing where `memory` bytes are free: whether the
/// peak does not fit without it, 10 % more than planned, by which a plan may be wrong.
bool needs_checkpointing(const TrainConfig& config, const ModelConfig& model,
                         const Compute& compute, int64_t P, int64_t memory);

/// Settles compute.activation_checkpointing where the config says `auto`: as the run in its folder
/// has it, else by needs_checkpointing() of the memory that is free now.
void settle_checkpointing(const TrainConfig& config, const ModelConfig& model, Existing existing,
                          Compute& compute);

}  // namespace gdsd
