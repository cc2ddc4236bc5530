// How an answer came to be: greedy decoding of one held-out problem, step by step.
#include "cli/report.h"
#include "cli/run_models.h"

namespace gdsd {

namespace {

Trace decode(const Model& model, const RunResult& run, const Judge& judge, const Example& problem) {
  RolloutOptions options{.group_size = 1, .sampler = run.config.rollout.sampler};
  options.sampler.temperature = 0;
  const Rollouts r =
      rollout(*model.denoiser, *model.tokenizer, {&problem, 1}, options, Key{}.fork("trace"));
  Trace trace{.problem = problem,
              .completion = r.attempts[0].completion,
              .solved = judge.verdict(r.attempts[0]).solved,
              .canvas = {}};
  const auto tokens = to_vector<int64_t>(
      r.sequences.tokens.index_select(0, tail_rows(r.sequences, r.step.size(1)).flatten()));
  const auto revealed = to_vector<int64_t>(r.step);
  for (int64_t s = -1; s < r.step.max().item<int64_t>() + 1; ++s) {
    std::vector<std::string> canvas;
    for (size_t i = 0; i < tokens.size(); ++i) {
      const bool eos = tokens[i] == model.denoiser->vocabulary().eos_id;
      const std::string text = eos ? kEnd : model.tokenizer->decode({&tokens[i], 1});
      canvas.push_back(revealed[i] > s ? "" : text);
    }
    trace.canvas.push_back(canvas);
  }
  return trace;
}

}  // namespace

BeforeAndAfter trace_answers(const RunResult& run) {
  const RunModels models(run, {},
                         "the page shows what it answers. Without --html it is not needed.");
  const Model base = models.base(Use::kInference);
  const Model trained = models.at(run.folder / "latest", Use::kInference);
  const auto problems = problems_of(run.config.task, base.chat);
  const Judge judge(run.config.task);

  BeforeAndAfter first;
  for (int64_t i = 0; i < count_problems(*problems, run.config.eval); ++i) {
    const Example problem = problems->held_out(i);
    BeforeAndAfter pair{decode(base, run, judge, problem), decode(trained, run, judge, problem)};
    if (!pair.base.solved && pair.trained.solved) return pair;
    if (i == 0) first = pair;
  }
  return first;
}

}  // namespace gdsd
