// gdsd plan: the memory and time of a training run, before it is begun.
#pragma once

#include <optional>

#include "cli/verbs.h"
#include "gdsd/train/train.h"

namespace gdsd {

struct PlanArguments {
  std::string config;
  std::vector<std::string> overrides;
  std::optional<int64_t> prompt;  // tokens; else the task and the tokenizer are asked
  std::optional<double> tflops;   // else this machine is measured
};
int run_plan(const PlanArguments& arguments);

/// Tokens of the longest of some prompts of the task; without a tokenizer 128, which it says.
int64_t planned_prompt(const TrainConfig& config);

}  // namespace gdsd
