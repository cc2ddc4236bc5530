// gdsd: reinforcement-learning post-training of masked diffusion language models.
#include <CLI/CLI.hpp>
#include <iostream>

#include "cli/verbs.h"
#include "gdsd/base/check.h"

namespace {

using namespace gdsd;

/// A verb that takes CONFIG.yaml and key.path=value arguments.
CLI::App* add_run_verb(CLI::App& app, const std::string& name, const std::string& about,
                       RunArguments& arguments, bool writes) {
  CLI::App* verb = app.add_subcommand(name, about);
  verb->add_option("CONFIG", arguments.config, "a YAML file; see configs/")->required();
  verb->add_option("OVERRIDES", arguments.overrides, "key.path=value, stronger than the file");
  if (writes)
    verb->add_flag("--fresh", arguments.fresh,
                   "if run_dir is in use, rename it to RUN.old and begin anew");
  return verb;
}

int dispatch(int argc, char** argv) {
  CLI::App app{"Reinforcement-learning post-training of masked diffusion language models.", "gdsd"};
  app.require_subcommand(1);
  app.set_help_all_flag("--help-all", "the help of every verb");
  RunArguments run;
  CompareArguments compare;
  int (*const verbs[])(const RunArguments&) = {run_train, run_pretrain, run_eval};
  CLI::App* const apps[] = {
      add_run_verb(app, "train", "Train a model with reinforcement learning.", run, true),
      add_run_verb(app, "pretrain", "Train a model on a task's demonstrations (MDLM loss).", run,
                   true),
      add_run_verb(app, "eval", "Evaluate config's `model` on held-out problems.", run, false)};
  apps[0]->footer(train_keys);
  apps[1]->footer(pretrain_keys);
  apps[2]->footer("The keys are those of `gdsd train`.");

  CLI::App* comparing = app.add_subcommand("compare", "A table and a page of finished runs.");
  comparing->add_option("RUNS", compare.runs, "run folders of `gdsd train`")->required();
  comparing->add_option("--json", compare.json, "write the figures to this file");
  comparing->add_option("--html", compare.html, "write a self-contained page to this file");
  comparing->add_option("--seconds", compare.seconds, "what all of it took, for the page");

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? kExitDone : kExitBadInput;
  }
  for (size_t i = 0; i < 3; ++i)
    if (apps[i]->parsed()) return verbs[i](run);
  return run_compare(compare);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return dispatch(argc, argv);
  } catch (const Error& e) {
    std::cerr << "gdsd: " << e.what() << "\n";
    return kExitBadInput;
  } catch (const std::exception& e) {
    std::cerr << "gdsd: this is a fault of the program, not of your input: " << e.what() << "\n";
    return 1;
  }
}
