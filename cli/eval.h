// gdsd eval: a model asked the held-out problems of a task. gdsd results: a table of what came out.
#pragma once

#include "cli/verbs.h"
#include "gdsd/data/task.h"
#include "gdsd/denoiser/lora.h"
#include "gdsd/eval/evaluate.h"

namespace gdsd {

/// The defaults are the literature's protocol: greedy, blocks of 32, half as many steps as tokens.
struct EvalConfig {
  std::string model;
  LoraOptions lora;
  TaskOptions task;
  SamplerOptions sampler{.gen_length = 256, .block_length = 32, .steps = 128};
  int64_t problems = 0;
  int64_t samples = 1;
  int64_t batch = 8;
  uint64_t seed = 0;
  ComputeOptions compute;

  template <class F>
  void fields(F&& f) {
    f("model", model, "Hugging Face folder, or PEFT folder whose base is here");
    f("lora", lora, "only `from` is of use: an adapter to `model`");
    f("task", task, "where problems come from and how answers are judged");
    f("sampler", sampler, "");
    f("problems", problems, "held-out problems that are asked; 0 for all of a file");
    f("samples", samples, "answers to each, for pass@k");
    f("batch", batch,
      "problems that are answered, and kept, at a time; at most so many answers denoised together");
    f("seed", seed, "of the sampler's random numbers, where temperature is not 0");
    f("compute", compute, "");
  }
  void validate() const;
};

struct EvalArguments {
  RunArguments run;
  std::string out = {};      // folder, empty: nothing is kept
  std::string answers = {};  // file of answers to judge, or "reference"; empty: the model's
  std::string lengths = {};  // "128,256,512": one evaluation each, steps = length / 2
};
int run_eval(const EvalArguments& arguments);

struct ResultsArguments {
  std::vector<std::string> folders;
  std::string json;
};
int run_results(const ResultsArguments& arguments);

/// Every key with its default and meaning.
std::string eval_keys();

}  // namespace gdsd
