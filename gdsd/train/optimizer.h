// AdamW with warm-up, linear decay and clipping. Loshchilov & Hutter 2019, arXiv:1711.05101.
#pragma once

#include "gdsd/base/fields.h"
#include "gdsd/tensor/safetensors.h"

namespace gdsd {

struct OptimizerOptions {
  double lr = 3e-4;
  int64_t warmup = 10;
  double final_lr = 0.1;
  double beta1 = 0.9;
  double beta2 = 0.99;
  double epsilon = 1e-8;
  double weight_decay = 0.01;
  double max_grad_norm = 0.2;

  template <class F>
  void fields(F&& f) {
    f("lr", lr, "learning rate that warm-up and decay are factors of");
    f("warmup", warmup,
      "optimiser steps over which the learning rate rises linearly, from lr / warmup");
    f("final_lr", final_lr,
      "what the decay, linear from the first step on, ends at: a fraction of lr");
    f("beta1", beta1, "decay of the gradient's running mean");
    f("beta2", beta2, "decay of its running square");
    f("epsilon", epsilon, "added to the root of the running square");
    f("weight_decay", weight_decay, "decoupled, times the learning rate");
    f("max_grad_norm", max_grad_norm, "gradients are scaled down to this norm, 0 for no limit");
  }
  void validate() const;
};

class Optimizer {
 public:
  /// `total_steps` is when the learning rate arrives at final_lr.
  Optimizer(const TensorMap& parameters, const OptimizerOptions& options, int64_t total_steps);

  /// Divides the gradients by `count`, clips them, takes an AdamW step and forgets them.
  /// → the norm of the divided gradient, before clipping. Throws if it is not finite: the weights
  /// are then as they were.
  double step(double count);

  /// Of the step to come.
  double learning_rate() const;

  /// All it needs to go on: "<parameter>.exp_avg", "<parameter>.exp_avg_sq", "steps".
  TensorMap state() const;
  void load_state(const TensorMap& state);

 private:
  OptimizerOptions options_;
  int64_t total_steps_;
  int64_t steps_ = 0;  // taken so far
  std::vector<std::string> names_;
  std::vector<Tensor> parameters_, exp_avg_, exp_avg_sq_, step_counts_;
};

}  // namespace gdsd
