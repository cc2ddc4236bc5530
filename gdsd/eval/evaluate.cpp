#include "gdsd/eval/evaluate.h"

#include <cmath>

namespace gdsd {

namespace {

/// Never a run's seed: everyone is asked the same.
constexpr Key kHeldOut = Key{0}.fork("held_out");

}  // namespace

void EvaluationOptions::validate() const {
  check_field(every >= 0, "every", "must not be negative, got ", every, ".");
  check_count(problems, "problems", 1, 1'000'000);
  check_count(batch, "batch", 0, 1'000'000);
  check_field(temperature >= 0, "temperature", "must not be negative, got ", temperature, ".");
}

Interval wilson(int64_t k, int64_t n) {
  const double z = 1.959963984540054, N = static_cast<double>(n), p = static_cast<double>(k) / N;
  const double centre = p + z * z / (2 * N);
  const double half = z * std::sqrt(p * (1 - p) / N + z * z / (4 * N * N));
  const double scale = 1 + z * z / N;
  return {std::max(0.0, (centre - half) / scale), std::min(1.0, (centre + half) / scale)};
}

std::map<std::string, double> Evaluation::metrics() const {
  const Interval interval = wilson(solved, problems);
  return {{"eval/solved", static_cast<double>(solved) / static_cast<double>(problems)},
          {"eval/solved_low", interval.low},
          {"eval/solved_high", interval.high},
          {"eval/cell", static_cast<double>(right) / static_cast<double>(asked)},
          {"eval/reward", reward}};
}

Example held_out_problem(const Problems& problems, int64_t i) {
  return problems.draw(Split::kHeldOut, kHeldOut.fork("problem", i));
}

Evaluation evaluate(const Denoiser& denoiser, const Tokenizer& tokenizer, const TaskOptions& task,
                    const SamplerOptions& sampler, const EvaluationOptions& options) {
  const auto source = problems_of(task);
  std::vector<Example> problems;
  for (int64_t i = 0; i < options.problems; ++i) problems.push_back(held_out_problem(*source, i));

  RolloutOptions one_each{.group_size = 1, .batch = options.batch, .sampler = sampler};
  one_each.sampler.temperature = options.temperature;
  const Rollouts rollouts =
      rollout(denoiser, tokenizer, problems, one_each, kHeldOut.fork("rollout"));
  const Scores scores = score(rollouts.attempts, rewards_for(task));

  Evaluation out{.problems = options.problems};
  for (size_t b = 0; b < rollouts.attempts.size(); ++b) {
    const Verdict verdict = judge(task, rollouts.attempts[b]);
    out.solved += verdict.solved;
    out.right += verdict.right;
    out.asked += verdict.asked;
    out.reward += scores.total[b] / static_cast<double>(options.problems);
  }
  return out;
}

}  // namespace gdsd
