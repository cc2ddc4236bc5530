#include "gdsd/eval/evaluate.h"

#include <cmath>

#include "gdsd/tensor/device.h"

namespace gdsd {

namespace {

/// What was answered to the problems begin, begin + 1, … with its rewards and verdicts, on all
/// threads.
std::vector<Answer> judge_answers(std::span<const Example> examples, const Judge& judge,
                                  int64_t begin, int64_t samples,
                                  std::span<const GivenText> texts) {
  std::vector<Attempt> attempts;
  for (size_t i = 0; i < texts.size(); ++i)
    attempts.push_back({&examples[i / samples], texts[i].completion, texts[i].generation});
  const auto [scores, verdicts] = judge.judge(attempts, static_cast<int>(count_cores()));
  std::vector<Answer> answers;
  for (size_t i = 0; i < texts.size(); ++i) {
    const auto at = static_cast<int64_t>(i);
    answers.push_back({.problem = begin + at / samples,
                       .sample = at % samples,
                       .example = examples[i / samples],
                       .completion = texts[i].completion,
                       .generation = texts[i].generation,
                       .result = {}});
    Result& r = answers.back().result;
    r.verdict = verdicts[i];
    r.reward = scores.total[i];
    r.tokens = texts[i].tokens;
    r.agreement = texts[i].agreement;
    for (size_t j = 0; j < judge.rewards().size(); ++j)
      if (scores.parts[i][j]) r.parts[judge.rewards()[j].name] = *scores.parts[i][j];
  }
  return answers;
}

/// Mean of pass@k over problems for k = 2, 4, … and all samples.
void add_pass_at_k(std::map<std::string, double>& m, const Evaluation& e) {
  for (int64_t k = 2; k < 2 * e.samples; k *= 2) {
    const int64_t at = std::min(k, e.samples);
    double sum = 0;
    for (int64_t p = 0; p < e.problems; ++p) {
      int64_t right = 0;
      for (int64_t s = 0; s < e.samples; ++s) right += e.results[p * e.samples + s].verdict.solved;
      sum += pass_at_k(e.samples, right, at);
    }
    m[concat("eval/pass@", at)] = sum / static_cast<double>(e.problems);
  }
}

}  // namespace

void EvaluationOptions::validate() const {
  check_field(every >= 0, "every", "must not be negative, got ", every, ".");
  check_count(problems, "problems", 0, 1'000'000);
  check_count(samples, "samples", 1, 10'000);
  check_count(batch, "batch", 0, 1'000'000);
  check_field(temperature >= 0, "temperature", "must not be negative, got ", temperature, ".");
  check_field(samples == 1 || temperature > 0, "samples", "got ", samples,
              ", but at temperature 0 all answers to a problem are the same.");
}

Interval wilson(double k, int64_t n) {
  const double z = 1.959963984540054, N = static_cast<double>(n), p = k / N;
  const double centre = p + z * z / (2 * N);
  const double half = z * std::sqrt(p * (1 - p) / N + z * z / (4 * N * N));
  const double scale = 1 + z * z / N;
  return {std::max(0.0, (centre - half) / scale), std::min(1.0, (centre + half) / scale)};
}

double pass_at_k(int64_t n, int64_t c, int64_t k) {
  double all_wrong = n - c < k ? 0.0 : 1.0;
  for (int64_t i = n - c + 1; i <= n && all_wrong > 0; ++i)
    all_wrong *= 1.0 - static_cast<double>(k) / static_cast<double>(i);
  return 1.0 - all_wrong;
}

std::map<std::string, double> Evaluation::metrics() const {
  std::map<std::string, double> m{{"eval/solved", 0}, {"eval/reward", 0}};
  const auto n = static_cast<double>(results.size());
  double right = 0, asked = 0, released_right = 0, released_asked = 0;
  std::map<std::string, std::pair<double, double>> parts;  // sum and count
  std::vector<double> agreement;
  for (const Result& r : results) {
    m["eval/solved"] += r.verdict.solved;
    m["eval/reward"] += r.reward;
    if (r.tokens) m["eval/length"] += static_cast<double>(*r.tokens);
    right += r.verdict.right;
    asked += r.verdict.asked;
    released_right += r.verdict.released_right;
    released_asked += r.verdict.released_asked;
    if (!r.verdict.outcome.empty()) {
      for (const char* other : {"passed", "failed", "timeout", "crashed"})
        m[concat("eval/outcome/", other)] += other == r.verdict.outcome;
    }
    if (r.agreement) agreement.push_back(*r.agreement);
    for (const auto& [name, value] : r.parts) parts[name].first += value, ++parts[name].second;
  }
  for (auto& [name, sum] : m) sum /= n;
  // Samples of one problem are alike: the interval is that of so many problems.
  const Interval interval = wilson(m["eval/solved"] * static_cast<double>(problems), problems);
  m["eval/solved_low"] = interval.low;
  m["eval/solved_high"] = interval.high;
  if (asked > 0) m["eval/cell"] = right / asked;
  if (released_asked > 0) m["eval/released"] = released_right / released_asked;
  for (double share : agreement)
    m["eval/token_agreement"] += share / static_cast<double>(agreement.size());
  if (parts.size() > 1)
    for (const auto& [name, sum] : parts) m["eval/reward/" + name] = sum.first / sum.second;
  add_pass_at_k(m, *this);
  return m;
}

int64_t count_problems(const Problems& problems, const EvaluationOptions& o) {
  const auto size = problems.held_out_size();
  check(size || o.problems > 0,
        "[problems] got 0, for all held-out problems, but this task has no end of them: give a "
        "number.");
  check(!size || *size > 0,
        "[problems] nothing is held out: of so few training problems the tenth is none. Name a "
        "file of others as task.test, or say eval.every=0.");
  check(!size || o.problems <= *size, "[problems] got ", o.problems,
        ", but the held-out split has ", size.value_or(0), ". 0 asks for all.");
  return o.problems > 0 ? o.problems : *size;
}

std::vector<Answer> answer(const Denoiser& denoiser, const Tokenizer& tokenizer,
                           const Problems& problems, const Judge& judge,
                           const SamplerOptions& sampler, const EvaluationOptions& options,
                           int64_t begin, int64_t end, uint64_t seed) {
  std::vector<Example> examples;
  for (int64_t i = begin; i < end; ++i) examples.push_back(problems.held_out(i));
  RolloutOptions how{.group_size = options.samples, .batch = options.batch, .sampler = sampler};
  how.sampler.temperature = options.temperature;
  const Rollouts rollouts = rollout(denoiser, tokenizer, examples, how,
                                    Key{seed}.fork("held_out").fork("rollout"), begin);
  const Tensor tokens = rollouts.completion.sum(-1);
  std::vector<GivenText> texts;
  for (size_t b = 0; b < rollouts.attempts.size(); ++b)
    texts.push_back({rollouts.attempts[b].completion,
                     rollouts.attempts[b].generation,
                     tokens[static_cast<int64_t>(b)].item<int64_t>(),
                     {}});
  for (const auto& [b, share] : rollouts.agreement) texts[b].agreement = share;
  return judge_answers(examples, judge, begin, options.samples, texts);
}

std::vector<Answer> judge_texts(const Problems& problems, const Judge& judge, int64_t begin,
                                int64_t samples, std::span<const GivenText> texts) {
  std::vector<Example> examples;
  for (int64_t i = 0; i * samples < std::ssize(texts); ++i)
    examples.push_back(problems.held_out(begin + i));
  return judge_answers(examples, judge, begin, samples, texts);
}

Evaluation evaluate(const Denoiser& denoiser, const Tokenizer& tokenizer, const Problems& problems,
                    const Judge& judge, const SamplerOptions& sampler,
                    const EvaluationOptions& options) {
  Evaluation out{
      .problems = count_problems(problems, options), .samples = options.samples, .results = {}};
  for (Answer& a : answer(denoiser, tokenizer, problems, judge, sampler, options, 0, out.problems))
    out.results.push_back(std::move(a.result));
  return out;
}

}  // namespace gdsd
