// gdsd plan: the memory and time of a training run, before it is begun.
#pragma once

#include "cli/verbs.h"
#include "gdsd/train/train.h"

namespace gdsd {

struct PlanArguments {
  std::string config;
  std::vector<std::string> overrides;
  int64_t prompt = 0;  // tokens; 0 asks the task and the tokenizer
  double tflops = 0;   // 0 measures this machine
};
int run_plan(const PlanArguments& arguments);

/// Tokens of the longest of some prompts of the task, if the model's tokenizer is at hand.
int64_t prompt_length(const TrainConfig& config);

}  // namespace gdsd
