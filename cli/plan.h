// gdsd plan: the memory and time of a training run, before it is begun.
#pragma once

#include "cli/verbs.h"

namespace gdsd {

struct PlanArguments {
  std::string config;
  std::vector<std::string> overrides;
  int64_t prompt = 0;  // tokens; 0 asks the task and the tokenizer
  double tflops = 0;   // 0 measures this machine
};
int run_plan(const PlanArguments& arguments);

}  // namespace gdsd
