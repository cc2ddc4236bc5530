// gdsd: reinforcement-learning post-training of masked diffusion language models.
#include <c10/util/Exception.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <iostream>
#include <new>

#include "cli/bench.h"
#include "cli/data.h"
#include "cli/diagnose.h"
#include "cli/doctor.h"
#include "cli/eval.h"
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

Verb add_diagnose(CLI::App& app, DiagnoseArguments& arguments) {
  CLI::App* verb = app.add_subcommand(
      "diagnose", "Measure what is wrong with each method's gradient at a checkpoint of a run.");
  verb->add_option("CHECKPOINT", arguments.checkpoint, "folder of a run or of its checkpoint")
      ->required();
  verb->add_option("OVERRIDES", arguments.overrides, "key.path=value");
  verb->add_option("--json", arguments.json, "write the figures to this file");
  verb->add_option("--html", arguments.html, "write a self-contained page to this file");
  verb->footer(diagnose_keys);
  return {verb, [&] { return run_diagnose(arguments); }};
}

Verb add_eval(CLI::App& app, EvalArguments& arguments) {
  CLI::App* verb = add_run_verb(app, "eval", "Ask a model the held-out problems of a task.",
                                arguments.run, /*writes=*/false);
  verb->add_option("--out", arguments.out,
                   "folder for every answer and the figures; the same command goes on in it");
  verb->add_option("--answers", arguments.answers,
                   "judge these instead of asking the model: JSON lines with `completion`, such as "
                   "items.jsonl, or `reference` for the task's own solutions");
  verb->add_option("--lengths", arguments.lengths,
                   "gen_lengths such as 128,256,512: one evaluation each, steps = length / 2, in a "
                   "folder of its own below --out");
  verb->add_flag("--fresh", arguments.run.fresh,
                 "if --out is in use, rename it to OUT.old and begin anew");
  verb->footer([] {
    return eval_keys() + "A config of `gdsd train` does too: its model, task, sampler and eval.";
  });
  return {verb, [&] { return run_eval(arguments); }};
}

Verb add_results(CLI::App& app, ResultsArguments& arguments) {
  CLI::App* verb = app.add_subcommand("results", "A table of what `gdsd eval --out` wrote.");
  verb->add_option("FOLDERS", arguments.folders, "folders of `gdsd eval --out`")->required();
  verb->add_option("--json", arguments.json, "write all figures to this file");
  return {verb, [&] { return run_results(arguments); }};
}

Verb add_data(CLI::App& app, DataArguments& arguments) {
  CLI::App* verb =
      app.add_subcommand("data", "Prepare files of problems, show prompts, generate puzzles.");
  verb->add_option("WORDS", arguments.words, "prepare, show or generate, and what they need")
      ->required();
  verb->add_option("--out", arguments.out, "file to write");
  verb->add_option("--n", arguments.n, "problems; by default show 3, generate 1000");
  verb->add_option("--split", arguments.split, "train or test; by default train");
  verb->add_option("--seed", arguments.seed, "of generate and show; by default 1");
  verb->add_option("--model", arguments.model,
                   "of show: the folder whose chat template words them");
  verb->add_flag("--force", arguments.force, "overwrite the file to write");
  verb->footer(data_keys);
  return {verb, [&] { return run_data(arguments); }};
}

Verb add_bench(CLI::App& app, BenchArguments& arguments) {
  CLI::App* verb = app.add_subcommand(
      "bench", "Time the phases of a training step against this machine's peak.");
  verb->add_option("WORDS", arguments.words, "CONFIG.yaml and key.path=value, as model=FOLDER");
  verb->footer(bench_keys);
  return {verb, [&] { return run_bench(arguments); }};
}

Verb add_doctor(CLI::App& app) {
  return {app.add_subcommand("doctor", "Say what this machine has and what is used."), run_doctor};
}

void add_compare(CLI::App& app, CompareArguments& arguments, StudyArguments& study) {
  CLI::App* verb = app.add_subcommand(
      "compare",
      "Methods side by side: a table and a page of finished runs, or a study of a config.");
  verb->add_option("RUNS", arguments.runs,
                   "run folders of `gdsd train`; or CONFIG.yaml [key.path=value …], to run methods "
                   "and seeds on it: what is missing, each in a process of its own")
      ->required();
  verb->add_option(
      "--methods", study.methods,
      "of a study: names of objectives, with commas between them; by default " + study.methods);
  verb->add_option("--seeds", study.seeds, "of a study: runs of each method, by default 1");
  verb->add_option(
      "--lr", study.rates,
      "of a study: learning rates, of which each method takes its best by seed 1's reward in the "
      "last quarter of training; by default optimizer.lr, a third of it and twice it");
  verb->add_option("--jobs", study.jobs,
                   "of a study: runs at a time; by default one a core, or one on a GPU");
  verb->add_option("--out", study.out, "of a study: its folder, runs/compare-CONFIG by default");
  verb->add_option("--json", arguments.json, "write the figures to this file");
  verb->add_option("--html", arguments.html, "write a self-contained page to this file");
  verb->add_option("--note", arguments.note, "a paragraph for the top of the page");
  verb->add_option("--seconds", arguments.seconds, "what all runs together took, for the page");
}

/// Throws Error for options of the half of `compare` that is not asked for.
void check_half(const CLI::App& compare, bool of_config, const std::string& first) {
  check(std::filesystem::exists(first), first, ": no such config or folder of a run.");
  const std::vector<const char*> study{"--methods", "--seeds", "--lr", "--jobs", "--out"},
      page{"--json", "--html", "--note", "--seconds"};
  for (const char* option : of_config ? page : study)
    check(compare.count(option) == 0, "compare: ", option,
          of_config ? " is for folders of runs, and " : " is for a study of a config, and ", first,
          of_config ? " is a config; a study writes summary.json, curves.csv and curves.svg."
                    : " is a folder.");
}

/// Throws Error unless the first argument is a verb or asks for help.
void check_verb(const std::vector<std::string>& arguments, const CLI::App& app) {
  const std::string first = arguments.empty() ? "" : arguments[0];
  for (const char* known : {"-h", "--help", "--help-all", "--version"})
    if (first == known) return;
  std::string names;
  const auto verbs = app.get_subcommands({});
  for (const CLI::App* verb : verbs) {
    if (first == verb->get_name()) return;
    names += (verb == verbs[0] ? "" : verb == verbs.back() ? " or " : ", ") + verb->get_name();
  }
  throw Error(concat("got ", arguments.empty() ? "nothing" : "'" + first + "'",
                     ", expected a verb: ", names, ". `gdsd --help` says what they do."));
}

/// What is wrong with the arguments of a verb, in one line.
Error wrong_arguments(const CLI::ParseError& e, const CLI::App& app, const std::string& verb) {
  const std::vector<std::string> unknown = app.remaining(/*recurse=*/true);
  const std::string what =
      unknown.empty() ? std::string(e.what()) : "unknown argument '" + unknown[0] + "'";
  return Error(concat(verb, ": ", what, ". `gdsd ", verb, " --help` lists what there is."));
}

int dispatch(int argc, char** argv) {
  CLI::App app{"Reinforcement-learning post-training of masked diffusion language models.", "gdsd"};
  app.require_subcommand(1);
  app.set_help_all_flag("--help-all", "the help of every verb");
  app.set_version_flag("--version", "gdsd " GDSD_VERSION);
  RunArguments run{.program = argv[0]};
  CompareArguments compare;
  StudyArguments study;
  int (*const verbs[])(const RunArguments&) = {run_train, run_pretrain};
  CLI::App* const apps[] = {
      add_run_verb(app, "train", "Train a model with reinforcement learning.", run, true),
      add_run_verb(app, "pretrain", "Train on a task's demonstrations (MDLM loss).", run, true)};
  apps[0]->footer(train_keys);
  apps[1]->footer(pretrain_keys);
  add_compare(app, compare, study);

  EvalArguments evaluation{.run = {.program = argv[0]}};
  ResultsArguments results;
  GenerateArguments generate;
  MergeArguments merge;
  InitArguments init;
  PlanArguments plan;
  BenchArguments bench;
  DiagnoseArguments diagnosis;
  DataArguments data;
  const Verb others[] = {add_eval(app, evaluation),    add_results(app, results),
                         add_generate(app, generate),  add_merge(app, merge),
                         add_init(app, init),          add_plan(app, plan),
                         add_diagnose(app, diagnosis), add_data(app, data),
                         add_bench(app, bench),        add_doctor(app)};

  std::vector<std::string> arguments(argv + 1, argv + argc);
  if (!arguments.empty() && arguments[0] == "help") {  // gdsd help, gdsd help train
    arguments.erase(arguments.begin());
    arguments.emplace_back("--help");
  }
  check_verb(arguments, app);
  const std::string verb = arguments[0];
  try {
    app.parse(std::vector(arguments.rbegin(), arguments.rend()));
  } catch (const CLI::Success& e) {  // help was asked for
    return app.exit(e);
  } catch (const CLI::ParseError& e) {
    throw wrong_arguments(e, app, verb);
  }
  for (size_t i = 0; i < std::size(apps); ++i)
    if (apps[i]->parsed()) return verbs[i](run);
  for (const Verb& other : others)
    if (other.app->parsed()) return other.run();
  const bool of_config = std::filesystem::is_regular_file(compare.runs[0]);
  check_half(*app.get_subcommand("compare"), of_config, compare.runs[0]);
  if (!of_config) return run_compare(compare);
  study.config = compare.runs[0];
  study.overrides.assign(compare.runs.begin() + 1, compare.runs.end());
  return run_study(study);
}

int fail(int code, const std::string& what) {
  std::cerr << "gdsd: " << what << "\n";
  return code;
}

int out_of_memory() {
  return fail(kExitBadInput,
              "out of memory. Lower rollout.batch, micro_batch or eval.batch, or say "
              "compute.activation_checkpointing=on.");
}

int fault(const std::string& what) {
  return fail(kExitFault, "this is a fault of the program, not of your input: " + what);
}

/// libtorch has a class for a full GPU, but not for a full machine.
bool is_out_of_memory(const c10::Error& e) {
  const std::string what = e.what_without_backtrace();
  return what.find("can't allocate memory") != std::string::npos ||
         what.find("out of memory") != std::string::npos;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return dispatch(argc, argv);
  } catch (const Error& e) {
    return fail(kExitBadInput, e.what());
  } catch (const std::filesystem::filesystem_error& e) {
    return fail(kExitBadInput, concat(e.path1().string(), ": ", e.code().message(), "."));
  } catch (const std::bad_alloc&) {
    return out_of_memory();
  } catch (const c10::Error& e) {
    return is_out_of_memory(e) ? out_of_memory() : fault(e.what_without_backtrace());
  } catch (const std::exception& e) {
    return fault(e.what());
  }
}
