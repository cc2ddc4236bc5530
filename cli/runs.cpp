// gdsd train, pretrain and eval: a config in, a run folder or a line of results out.
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <iostream>

#include "cli/configs.h"
#include "cli/console.h"
#include "cli/keys.h"
#include "cli/verbs.h"

namespace gdsd {

namespace {

TrainConfig load_train(const RunArguments& a) {
  check(!is_config_of<TrainConfig, PretrainConfig>(a.config), a.config,
        ": this looks like a config of `gdsd pretrain`.");
  return load_options<TrainConfig>(a.config, a.overrides);
}

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

template <class Config, class Function>
int run(const RunArguments& arguments, const char* verb, const Config& config, Function function) {
  const auto existing = arguments.fresh ? Existing::kSetAside : Existing::kResume;
  Outcome outcome;
  {
    Console console(std::cerr, isatty(STDERR_FILENO));
    outcome = function(config, existing, console);
  }
  if (outcome == Outcome::kDone) return kExitDone;
  std::string again = concat(quoted(arguments.program), " ", verb, " ", quoted(arguments.config));
  for (const std::string& o : arguments.overrides) again += " " + quoted(o);
  std::cerr << "Interrupted; everything up to this step is saved. To go on:\n  " << again << "\n";
  return kExitInterrupted;
}

}  // namespace

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

int run_eval(const RunArguments& arguments) {
  const TrainConfig config = load_train(arguments);
  const Compute compute = open_compute(config.compute, config_of(config.model).architecture.width);
  const Model model = load_model(config.model, compute, Use::kInference);
  const Evaluation e =
      evaluate(*model.denoiser, *model.tokenizer, config.task, config.rollout.sampler, config.eval);
  const auto m = e.metrics();
  std::cout << concat(config.model, ": solved ", m.at("eval/solved"), " (", e.solved, " of ",
                      e.problems, ", 95 % [", m.at("eval/solved_low"), ", ",
                      m.at("eval/solved_high"), "]), cells ", m.at("eval/cell"), " (", e.right,
                      " of ", e.asked, "), reward ", m.at("eval/reward"), "\n");
  return kExitDone;
}

std::string train_keys() { return describe_keys<TrainConfig>(); }
std::string pretrain_keys() { return describe_keys<PretrainConfig>(); }

}  // namespace gdsd
