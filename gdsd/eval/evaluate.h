// How well a denoiser does on problems it was never trained on.
#pragma once

#include "gdsd/reward/rewards.h"
#include "gdsd/rollout/rollout.h"

namespace gdsd {

struct EvaluationOptions {
  int64_t every = 10;
  int64_t problems = 256;
  int64_t batch = 0;
  double temperature = 0.0;

  template <class F>
  void fields(F&& f) {
    f("every", every, "steps between evaluations, 0 for none");
    f("problems", problems, "held-out problems, the same ones every time and for every seed");
    f("batch", batch, "answers sampled together, 0 for all; for less memory");
    f("temperature", temperature, "of the sampler, 0 is greedy");
  }
  void validate() const;
};

/// An interval that holds a rate k/n with 95 % confidence: Wilson 1927.
struct Interval {
  double low = 0, high = 0;
};
Interval wilson(int64_t k, int64_t n);

struct Evaluation {
  int64_t problems = 0, solved = 0;
  int64_t right = 0, asked = 0;  // parts: the blank cells of a puzzle
  double reward = 0;             // mean total

  /// eval/solved with eval/solved_low and eval/solved_high, eval/cell, eval/reward.
  std::map<std::string, double> metrics() const;
};

/// Samples one answer to each problem of the held-out split.
Evaluation evaluate(const Denoiser& denoiser, const Tokenizer& tokenizer, const TaskOptions& task,
                    const SamplerOptions& sampler, const EvaluationOptions& options);

/// Problem i of the held-out split.
Example held_out_problem(const Problems& problems, int64_t i);

}  // namespace gdsd
