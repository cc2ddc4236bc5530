// gdsd train, pretrain and eval: a config in, a run folder or a line of results out.
#include <unistd.h>

#include <iostream>

#include "cli/console.h"
#include "cli/keys.h"
#include "cli/verbs.h"
#include "gdsd/base/yaml.h"
#include "gdsd/train/pretrain.h"
#include "gdsd/train/train.h"

namespace gdsd {

namespace {

template <class Config, class Function>
int run(const RunArguments& arguments, const char* verb, Function function) {
  const auto config = load_options<Config>(arguments.config, arguments.overrides);
  Console console(std::cerr, isatty(STDERR_FILENO));
  const auto existing = arguments.fresh ? Existing::kSetAside : Existing::kResume;
  const Outcome outcome = function(config, existing, console);
  if (outcome == Outcome::kDone) return kExitDone;
  std::string again = concat("gdsd ", verb, " ", arguments.config);
  for (const std::string& o : arguments.overrides) again += " " + o;
  console.on_notice("interrupted; everything up to this step is saved. To go on:\n  " + again);
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

int run_train(const RunArguments& arguments) { return run<TrainConfig>(arguments, "train", train); }

int run_pretrain(const RunArguments& arguments) {
  return run<PretrainConfig>(arguments, "pretrain", pretrain);
}

int run_eval(const RunArguments& arguments) {
  const auto config = load_options<TrainConfig>(arguments.config, arguments.overrides);
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
