// gdsd train and pretrain: a config in, a run folder out.
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <iostream>

#include "cli/configs.h"
#include "cli/console.h"
#include "cli/keys.h"
#include "cli/plan.h"
#include "cli/runs.h"
#include "gdsd/bench/machine.h"
#include "gdsd/train/plan.h"

namespace gdsd {

namespace {

PretrainConfig load_pretrain(const RunArguments& a) {
  check(!is_config_of<PretrainConfig, TrainConfig>(a.config), a.config,
        ": this looks like a config of `gdsd train`.");
  return load_options<PretrainConfig>(a.config, a.overrides);
}

/// As a shell reads it back.
std::string quoted(const std::string& word) {
  const auto is_plain = [](unsigned char c) {
    return std::isalnum(c) || std::strchr("_-./=:,+@%", c) != nullptr;
  };
  if (!word.empty() && std::all_of(word.begin(), word.end(), is_plain)) return word;
  std::string out = "'";
  for (char c : word) out += c == '\'' ? "'\\''" : std::string(1, c);
  return out + "'";
}

/// The work of a step by the formula of `gdsd plan`, and what a product reaches here.
Speed measure(const TrainConfig& config) {
  TrainConfig needed = config;
  needed.compute.activation_checkpointing =
      Checkpointing::kOff;  // what is computed again is not needed
  const ModelConfig model = config_of(config.model);
  const Compute compute = open_compute(needed.compute, model.architecture.width);
  const Plan plan = make_plan(needed, model, compute, planned_prompt(config));
  return {.flops = plan.rollout_flops + plan.scoring_flops + plan.learning_flops,
          .peak = measure_peak(compute, 0.1)};
}

template <class Config, class Function>
int run(const RunArguments& arguments, const char* verb, const Config& config, Function function) {
  const auto existing = arguments.fresh ? Existing::kSetAside : Existing::kResume;
  Outcome outcome;
  {
    Console console(std::cerr, isatty(STDERR_FILENO));
    if constexpr (std::same_as<Config, TrainConfig>)
      if (config.rollout.sampler.threshold == 0)  // else nobody knows the work beforehand
        console.show_share([&config] { return measure(config); });
    outcome = function(config, existing, console);
  }
  if (outcome == Outcome::kDone) return kExitDone;
  return say_interrupted(arguments, verb);
}

}  // namespace

TrainConfig load_train(const RunArguments& a) {
  check(!is_config_of<TrainConfig, PretrainConfig>(a.config), a.config,
        ": this looks like a config of `gdsd pretrain`.");
  return load_options<TrainConfig>(a.config, a.overrides);
}

int say_interrupted(const RunArguments& arguments, const char* verb,
                    const std::vector<std::string>& options) {
  std::string again = concat(quoted(arguments.program), " ", verb, " ", quoted(arguments.config));
  for (const std::string& o : arguments.overrides) again += " " + quoted(o);
  for (const std::string& o : options) again += " " + quoted(o);
  std::cerr << "Interrupted; everything up to this step is saved. To go on:\n  " << again << "\n";
  return kExitInterrupted;
}

std::string describe(const std::vector<Field>& fields) {
  std::string text;
  for (const Field& field : fields)
    text += concat("  ", field.path, " = ", field.text.empty() ? "''" : field.text, "\n      ",
                   field.help, field.help.empty() ? "" : "  ", "(", field.type, ")\n");
  return text;
}

int run_train(const RunArguments& arguments) {
  return run(arguments, "train", load_train(arguments), train);
}

int run_pretrain(const RunArguments& arguments) {
  return run(arguments, "pretrain", load_pretrain(arguments), pretrain);
}

std::string train_keys() { return describe_keys<TrainConfig>(); }
std::string pretrain_keys() { return describe_keys<PretrainConfig>(); }

}  // namespace gdsd
