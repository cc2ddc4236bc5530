// How well a denoiser does on problems it was never trained on.
#pragma once

#include "gdsd/reward/judge.h"
#include "gdsd/rollout/rollout.h"

namespace gdsd {

struct EvaluationOptions {
  int64_t every = 10;
  int64_t problems = 256;
  int64_t samples = 1;
  int64_t batch = 0;
  double temperature = 0.0;
  std::string best = "eval/solved";

  template <class F>
  void fields(F&& f) {
    f("every", every, "steps between evaluations, 0 for none");
    f("problems", problems,
      "held-out problems, the same ones every time and for every seed; 0 for all of a file");
    f("samples", samples, "answers to each, for pass@k");
    f("batch", batch, "answers sampled together, 0 for all; for less memory");
    f("temperature", temperature, "of the sampler, 0 is greedy");
    f("best", best, "the metric whose largest value makes a checkpoint the best");
  }
  void validate() const;
};

/// An interval that holds a rate k/n with 95 % confidence: Wilson 1927. k may lie between integers.
struct Interval {
  double low = 0, high = 0;
};
Interval wilson(double k, int64_t n);

/// The chance that of k of n answers, c of which are right, at least one is right:
/// 1 − C(n−c, k) / C(n, k). Chen et al. 2021, arXiv:2107.03374, eq. 1.
double pass_at_k(int64_t n, int64_t c, int64_t k);

/// One answer, judged.
struct Result {
  Verdict verdict;
  double reward = 0;                     // the weighted sum
  std::map<std::string, double> parts;   // each reward that applies
  std::optional<int64_t> tokens = {};    // up to and including the first EOS, if a model wrote it
  std::optional<double> agreement = {};  // Rollouts::agreement, of an audited answer
};

/// One answer to one held-out problem, as it was given.
struct Answer {
  int64_t problem = 0, sample = 0;
  Example example;
  std::string completion, generation;
  Result result;
};

/// Problem-major: results of problem i are i·samples … i·samples + samples − 1.
struct Evaluation {
  int64_t problems = 0, samples = 1;
  std::vector<Result> results;

  /// eval/solved with eval/solved_low and eval/solved_high, eval/cell, eval/reward and the others
  /// of docs/metrics.md that the task has.
  std::map<std::string, double> metrics() const;
};

/// How many problems the options ask of this task. Throws Error where there are not so many, or
/// where all of an endless supply are asked for.
int64_t count_problems(const Problems& problems, const EvaluationOptions& options);

/// The answers to the held-out problems begin … end − 1, at options.temperature. `seed` is never a
/// run's: everyone is asked in the same way.
std::vector<Answer> answer(const Denoiser& denoiser, const Tokenizer& tokenizer,
                           const Problems& problems, const Judge& judge,
                           const SamplerOptions& sampler, const EvaluationOptions& options,
                           int64_t begin, int64_t end, uint64_t seed = 0);

/// An answer that is there already.
struct GivenText {
  std::string completion, generation;
  std::optional<int64_t> tokens = {};
  std::optional<double> agreement = {};
};

/// Answers that were given to the problems begin, begin + 1, …, `samples` texts to each: judged.
std::vector<Answer> judge_texts(const Problems& problems, const Judge& judge, int64_t begin,
                                int64_t samples, std::span<const GivenText> texts);

/// Answers to every held-out problem that the options ask for.
Evaluation evaluate(const Denoiser& denoiser, const Tokenizer& tokenizer, const Problems& problems,
                    const Judge& judge, const SamplerOptions& sampler,
                    const EvaluationOptions& options);

}  // namespace gdsd
