// Reinforcement learning from prompt to checkpoint: act, look back, learn, report.
#pragma once

#include "gdsd/objective/objectives.h"
#include "gdsd/train/run.h"

namespace gdsd {

struct TrainConfig : RunOptions {
  std::string model;
  LoraOptions lora;
  int64_t inner_steps = 4;
  int64_t micro_batch = 0;
  RolloutOptions rollout;
  ObjectiveOptions objective;

  template <class F>
  void fields(F&& f) {
    RunOptions::fields(f);
    f("model", model, "Hugging Face folder of the model to train; it is the reference as well");
    f("lora", lora, "train an adapter instead of the weights");
    f("inner_steps", inner_steps, "μ: optimiser steps taken with the rollouts of one step");
    f("micro_batch", micro_batch,
      "rollouts in a backward pass, 0 for all; changes memory, and results to rounding");
    f("rollout", rollout, "");
    f("objective", objective, "what is minimised");
  }
  void validate() const;
};

/// Trains, or goes on training, until config.steps are done or the observer says stop.
Outcome train(const TrainConfig& config, Existing existing, Observer& observer);

}  // namespace gdsd
