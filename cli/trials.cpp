#include "cli/trials.h"

#include <iostream>
#include <map>

#include "cli/configs.h"

namespace gdsd {

namespace {

namespace fs = std::filesystem;

/// Keys that each run of a study has its own value of.
void check_not_given(const StudyArguments& a) {
  const std::map<std::string, std::string> said_by{{"seed", "--seeds"},
                                                   {"run_dir", "--out"},
                                                   {"objective", "--methods"},
                                                   {"objective.name", "--methods"}};
  for (const std::string& word : a.overrides) {
    const std::string path = parse_override(word).path;
    const auto option = said_by.find(path);
    if (option != said_by.end())
      throw Error(concat("command line: ", path, " is what ", option->second,
                         " says, for all runs of a study."));
    check(path != "optimizer.lr" || a.rates.empty(),
          "command line: optimizer.lr is what --lr says.");
  }
}

}  // namespace

Trials::Trials(const StudyArguments& a) : a_(a) {
  check(!is_config_of<TrainConfig, PretrainConfig>(a.config), a.config,
        ": this looks like a config of `gdsd pretrain`.");
  config_ = load_options<TrainConfig>(a.config, a.overrides);
  check_not_given(a);
  check(a.jobs >= 0 && a.jobs <= 1000, "--jobs: got ", a.jobs, ", expected 0 … 1000.");
  check(config_.eval.every > 0, a.config,
        ": eval.every is 0: methods are compared by evaluations.");
  config_of(config_.model);  // throws where there is none
  base_ = weights_fingerprint(config_.model);
  folder_ = a.out.empty() ? fs::path("runs") / ("compare-" + fs::path(a.config).stem().string())
                          : fs::path(a.out);
  check(!fs::exists(folder_ / "config.yaml"), "[out] ", folder_.string(),
        " is the folder of a run, expected one for all runs of a study.");
  at_once_ = static_cast<int>(a.jobs > 0 ? a.jobs : uses_gpu(config_.compute) ? 1 : count_cores());
}

Trial Trials::trial(const std::string& method, const std::string& rate, int64_t seed) const {
  return {method, rate, seed, folder_ / method / concat("lr-", rate) / concat("seed-", seed)};
}

std::vector<std::string> Trials::overrides_of(const Trial& t) const {
  std::vector<std::string> all = a_.overrides;
  for (const std::string& one :
       {concat("objective.name=", t.method), concat("optimizer.lr=", t.rate),
        concat("seed=", t.seed), concat("run_dir=", t.folder.string())})
    all.push_back(one);
  return all;
}

Job Trials::job(const Trial& t) const {
  std::vector<std::string> words{"train", a_.config};
  for (const std::string& word : overrides_of(t)) words.push_back(word);
  if (config_.compute.threads == 0) {
    // A run that was begun with others beside it goes on with as many threads as it began with.
    std::string threads = to_text(std::max<int64_t>(1, count_cores() / at_once_));
    if (fs::exists(t.folder / "config.yaml"))
      threads = to_text(load_options<TrainConfig>(t.folder / "config.yaml").compute.threads);
    words.push_back("compute.threads=" + threads);
  }
  return {words, folder_ / "logs" / concat(t.method, "-lr-", t.rate, "-seed-", t.seed, ".log")};
}

/// Of another length the learning rate would have decayed otherwise: `steps` too must be equal.
void Trials::check_same(const Trial& t, const std::string& hint) const {
  static const std::set<std::string> kFree{"run_dir", "save_every", "keep_last", "keep_best"};
  std::map<std::string, std::string> had;  // with the defaults of options that were not there yet
  for (const Field& f : list_fields(load_options<TrainConfig>(t.folder / "config.yaml")))
    had[f.path] = f.text;
  for (const Field& f : list_fields(load_options<TrainConfig>(a_.config, overrides_of(t))))
    check(kFree.contains(f.path) || f.path.starts_with("compute.") || had[f.path] == f.text,
          "[out] ", t.folder.string(), " holds a run of another configuration: ", f.path, " was '",
          had[f.path], "', now '", f.text, "'.", hint);
}

bool Trials::finished(const Trial& t) {
  if (finished_.contains(t.folder)) return true;
  if (!fs::exists(t.folder / "config.yaml")) return false;
  const std::string hint = concat(" Choose another --out, or remove ", t.folder.string(), ".");
  check_same(t, hint);
  std::optional<Checkpoint> newest;
  try {
    newest =
        newest_checkpoint(t.folder, [](const std::string& what) { std::cerr << what << "\n"; });
  } catch (const Error&) {
    throw Error(concat("[out] the run in ", t.folder.string(),
                       " is damaged: it can neither be read nor go on.", hint));
  }
  if (!newest) return false;
  check(newest->state.model == base_, "[out] the run in ", t.folder.string(),
        " began with another model than what is now in ", config_.model, ".", hint);
  if (newest->state.step != config_.steps) return false;
  finished_.insert(t.folder);
  return true;
}

}  // namespace gdsd
