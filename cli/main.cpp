// gdsd: reinforcement-learning post-training of masked diffusion language models.
#include <CLI/CLI.hpp>
#include <iostream>

#include "cli/generate.h"
#include "cli/models.h"
#include "cli/plan.h"
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

/// A verb of the command line and what it does.
struct Verb {
  CLI::App* app;
  std::function<int()> run;
};

Verb add_generate(CLI::App& app, GenerateArguments& arguments) {
  CLI::App* verb = app.add_subcommand("generate", "Complete prompts with a model.");
  verb->add_option("WORDS", arguments.words, "CONFIG.yaml and key.path=value, as model=FOLDER");
  verb->add_flag("--show", arguments.show, "draw the first prompt of a batch being denoised");
  verb->add_option("--trace", arguments.trace, "write the order of unmasking to this file");
  verb->footer(generate_keys);
  return {verb, [&] { return run_generate(arguments); }};
}

Verb add_merge(CLI::App& app, MergeArguments& arguments) {
  CLI::App* verb = app.add_subcommand("merge", "Add an adapter to its base: a model of its own.");
  verb->add_option("ADAPTER", arguments.adapter, "PEFT folder")->required();
  verb->add_option("OUT", arguments.out, "folder to write")->required();
  verb->add_option("--base", arguments.base, "the base, if not where the adapter says");
  return {verb, [&] { return run_merge(arguments); }};
}

Verb add_init(CLI::App& app, InitArguments& arguments) {
  CLI::App* verb = app.add_subcommand("init", "Write a model of random weights, for dry runs.");
  verb->add_option("--like", arguments.like, "config.json, or the folder of one")->required();
  verb->add_option("--out", arguments.out, "folder to write")->required();
  verb->add_option("--dtype", arguments.dtype, "bfloat16 or float32");
  verb->add_option("--seed", arguments.seed, "of the weights");
  verb->add_option("--shard-gb", arguments.shard_gb, "most gigabytes in a file");
  return {verb, [&] { return run_init(arguments); }};
}

Verb add_plan(CLI::App& app, PlanArguments& arguments) {
  CLI::App* verb = app.add_subcommand(
      "plan", "Say what memory and time a config of `gdsd train` needs; reads no weights.");
  verb->add_option("CONFIG", arguments.config, "a YAML file")->required();
  verb->add_option("OVERRIDES", arguments.overrides, "key.path=value, stronger than the file");
  verb->add_option("--prompt", arguments.prompt, "tokens of a prompt");
  verb->add_option("--tflops", arguments.tflops, "speed to reckon with, in TFLOP/s");
  return {verb, [&] { return run_plan(arguments); }};
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

  GenerateArguments generate;
  MergeArguments merge;
  InitArguments init;
  PlanArguments plan;
  const Verb others[] = {add_generate(app, generate), add_merge(app, merge), add_init(app, init),
                         add_plan(app, plan)};

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? kExitDone : kExitBadInput;
  }
  for (size_t i = 0; i < 3; ++i)
    if (apps[i]->parsed()) return verbs[i](run);
  for (const Verb& verb : others)
    if (verb.app->parsed()) return verb.run();
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
