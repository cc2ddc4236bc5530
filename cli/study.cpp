// gdsd compare CONFIG: runs what is missing of a study, and says what it came to.
#include "cli/study.h"

#include <cstdio>
#include <iostream>
#include <set>

#include "cli/configs.h"
#include "cli/jobs.h"
#include "cli/verbs.h"
#include "gdsd/base/file.h"
#include "gdsd/base/progress.h"

namespace gdsd {

namespace {

namespace fs = std::filesystem;

std::vector<std::string> split_list(const std::string& text) {
  std::vector<std::string> parts{""};
  for (char c : text)
    if (c == ',')
      parts.emplace_back();
    else
      parts.back().push_back(c);
  return parts;
}

/// A third of it, itself and its double, in two digits.
std::vector<std::string> grid_around(double lr) {
  std::vector<std::string> rates;
  for (double rate : {lr / 3, lr, lr * 2}) {
    char text[32];
    std::snprintf(text, sizeof text, "%.2g", rate);
    rates.emplace_back(text);
  }
  return rates;
}

/// A study under way.
class Study {
 public:
  explicit Study(const StudyArguments& a);
  int run();

 private:
  void read_methods();
  void read_rates();
  Trial trial(const std::string& method, const std::string& rate, int64_t seed) const;
  std::vector<std::string> overrides_of(const Trial& trial) const;
  Job job(const Trial& trial) const;
  bool finished(const Trial& trial) const;
  bool run_missing(const std::vector<Trial>& trials);
  std::string best_rate(const std::string& method) const;
  std::vector<Trial> grid() const;
  std::vector<Trial> repeats() const;
  Figures figures(const std::string& method) const;
  int report();

  const StudyArguments& a_;
  TrainConfig config_;
  fs::path out_;
  std::vector<std::string> methods_, rates_;
  int64_t jobs_ = 1;
  std::string base_;  // fingerprint of config_.model
  std::vector<std::string> failures_;
};

Study::Study(const StudyArguments& a)
    : a_(a), config_(load_options<TrainConfig>(a.config, a.overrides)) {
  check(a.seeds >= 1 && a.seeds <= 1000, "--seeds: got ", a.seeds, ", expected 1 … 1000.");
  check(a.jobs >= 0 && a.jobs <= 1000, "--jobs: got ", a.jobs, ", expected 0 … 1000.");
  check(config_.eval.every > 0, a.config,
        ": eval.every is 0: methods are compared by evaluations.");
  out_ = a.out.empty() ? fs::path("runs") / ("compare-" + fs::path(a.config).stem().string())
                       : fs::path(a.out);
  read_rates();
  read_methods();
  jobs_ = a.jobs > 0 ? a.jobs : uses_gpu(config_.compute) ? 1 : count_cores();
  base_ = weights_fingerprint(config_.model);
}

/// In ascending order: the first and the last are the edges of the grid.
void Study::read_rates() {
  std::map<double, std::string> rates;
  for (const std::string& rate :
       a_.rates.empty() ? grid_around(config_.optimizer.lr) : split_list(a_.rates)) {
    double value = 0;
    check(from_text(rate, value) && value > 0, "--lr: got '", rate,
          "', expected positive numbers with commas between.");
    check(rates.emplace(value, rate).second, "--lr: '", rate, "' is given twice.");
  }
  for (const auto& [value, rate] : rates) rates_.push_back(rate);
}

/// Those whose options the config sets are told apart from the others, which have only their own.
void Study::read_methods() {
  methods_ = split_list(a_.methods);
  check(std::set<std::string>(methods_.begin(), methods_.end()).size() == methods_.size(),
        "--methods: one of them is given twice.");
  for (const std::string& method : methods_)  // throws for a name that is none, or lacks an option
    load_options<TrainConfig>(a_.config, overrides_of(trial(method, rates_[0], 1)));
  const std::string chosen =
      std::visit([](const auto& o) { return std::string(o.kName); }, config_.objective);
  TrainConfig plain;
  assign(plain, "objective.name", chosen);
  std::string own;
  const auto now = list_fields(config_), before = list_fields(plain);
  for (const Field& field : now)
    for (const Field& other : before)
      if (field.path.starts_with("objective.") && field.path == other.path &&
          field.text != other.text)
        own += concat(own.empty() ? "" : ", ", field.path, "=", field.text);
  if (!own.empty() && methods_.size() > 1)
    std::cerr << concat(own, " of ", a_.config, " hold for ", chosen,
                        " alone; the other methods have defaults of their own.\n");
}

Trial Study::trial(const std::string& method, const std::string& rate, int64_t seed) const {
  return {method, rate, seed, out_ / method / concat("lr-", rate) / concat("seed-", seed)};
}

std::vector<std::string> Study::overrides_of(const Trial& t) const {
  std::vector<std::string> all = a_.overrides;
  for (const std::string& one :
       {concat("objective.name=", t.method), concat("optimizer.lr=", t.rate),
        concat("seed=", t.seed), concat("run_dir=", t.folder.string())})
    all.push_back(one);
  return all;
}

Job Study::job(const Trial& t) const {
  std::vector<std::string> words{"train", a_.config};
  for (const std::string& word : overrides_of(t)) words.push_back(word);
  if (config_.compute.threads == 0) {
    // A run that was begun with others beside it goes on with as many threads as it began with.
    std::string threads = to_text(std::max<int64_t>(1, count_cores() / jobs_));
    if (fs::exists(t.folder / "config.yaml"))
      threads = to_text(load_options<TrainConfig>(t.folder / "config.yaml").compute.threads);
    words.push_back("compute.threads=" + threads);
  }
  return {words, out_ / "logs" / concat(t.method, "-lr-", t.rate, "-seed-", t.seed, ".log")};
}

/// Throws Error for a folder that holds another run than the study's.
bool Study::finished(const Trial& t) const {
  if (!fs::exists(t.folder / "config.yaml")) return false;
  static const std::set<std::string> kFree{"run_dir", "save_every", "keep_last", "keep_best"};
  const std::string hint = concat(" Choose another --out, or remove ", t.folder.string(), ".");
  std::map<std::string, std::string> had;  // with the defaults of options that were not there yet
  for (const Field& f : list_fields(load_options<TrainConfig>(t.folder / "config.yaml")))
    had[f.path] = f.text;
  for (const Field& f : list_fields(load_options<TrainConfig>(a_.config, overrides_of(t))))
    check(kFree.contains(f.path) || f.path.starts_with("compute.") || had[f.path] == f.text,
          "[out] ", t.folder.string(), " holds a run of another configuration: ", f.path, " was '",
          had[f.path], "', now '", f.text, "'.", hint);
  const auto newest = newest_checkpoint(t.folder, [](const std::string&) {});
  if (!newest) return false;
  check(newest->state.model == base_, "[out] the run in ", t.folder.string(),
        " began with another model than what is now in ", config_.model, ".", hint);
  return newest->state.step == config_.steps;
}

/// → whether to go on.
bool Study::run_missing(const std::vector<Trial>& trials) {
  std::vector<Trial> missing;
  std::vector<Job> jobs;
  for (const Trial& t : trials) {
    if (finished(t)) continue;
    missing.push_back(t);
    jobs.push_back(job(t));
  }
  if (!missing.empty())
    std::cerr << concat(missing.size(), " of ", trials.size(), " runs to do, ", jobs_,
                        " at a time, in ", out_.string(), "\n");
  size_t count = 0;
  return run_jobs(jobs, static_cast<int>(jobs_), [&](size_t i, int code) {
    const Trial& t = missing[i];
    std::string line = concat("[", ++count, "/", missing.size(), "] ", t.method, ", lr ", t.rate,
                              ", seed ", t.seed, ": ");
    if (code == kExitDone) {
      const RunResult run = read_run(t.folder);
      line += concat("solved ", fixed(run.final_solved, 3), ", auc ", fixed(run.auc(), 3), ", ",
                     human_duration(run.seconds));
    } else {
      line +=
          code == kExitInterrupted ? "interrupted" : concat("failed, see ", jobs[i].log.string());
      if (code != kExitInterrupted) failures_.push_back(jobs[i].log.string());
    }
    std::cerr << line << "\n";
  });
}

std::vector<Trial> Study::grid() const {
  std::vector<Trial> all;
  for (const std::string& method : methods_)
    for (const std::string& rate : rates_) all.push_back(trial(method, rate, 1));
  return all;
}

/// By the reward of the last training rollouts: held-out problems choose nothing.
std::string Study::best_rate(const std::string& method) const {
  std::string best;
  double most = -1;
  for (const std::string& rate : rates_) {
    const Trial t = trial(method, rate, 1);
    if (!finished(t)) continue;
    const double reward = read_run(t.folder).late_reward();
    if (reward > most) most = reward, best = rate;
  }
  return best;
}

std::vector<Trial> Study::repeats() const {
  std::vector<Trial> all;
  for (int64_t seed = 2; seed <= a_.seeds; ++seed)
    for (const std::string& method : methods_)
      if (const std::string rate = best_rate(method); !rate.empty())
        all.push_back(trial(method, rate, seed));
  return all;
}

Figures Study::figures(const std::string& method) const {
  const std::string rate = best_rate(method);
  std::vector<RunResult> runs;
  for (int64_t seed = 1; seed <= a_.seeds; ++seed)
    if (const Trial t = trial(method, rate, seed); finished(t)) runs.push_back(read_run(t.folder));
  Figures f = figures_of(method, rate, std::move(runs));
  f.failed = a_.seeds - std::ssize(f.runs);
  f.at_edge = rates_.size() > 1 && (rate == rates_.front() || rate == rates_.back());
  return f;
}

void print(const std::vector<Figures>& all) {
  std::cout
      << "method              lr        seeds  failed  final    ±95 %    auc  worst  collapses  "
         "seconds\n";
  char text[200];
  for (const Figures& f : all) {
    std::snprintf(text, sizeof text,
                  "%-18s  %-8s%s  %5zu  %6lld  %.3f   %s  %.3f  %.3f  %9lld  %7.1f\n",
                  f.method.c_str(), f.rate.c_str(), f.at_edge ? "*" : " ", f.runs.size(),
                  static_cast<long long>(f.failed), f.final_mean,
                  f.final_ci95 ? fixed(*f.final_ci95, 3).c_str() : "    -", f.auc_mean, f.worst,
                  static_cast<long long>(f.collapses), f.seconds);
    std::cout << text;
  }
  std::cout
      << "final: solved, of held-out problems, mean over seeds ± Student's 95 % interval. lr: of "
         "the grid, by seed 1's reward in the last quarter of training; * at its edge. failed: "
         "runs "
         "that did not come to their end, in no mean.\n";
}

int Study::report() {
  std::vector<Figures> all;
  for (const std::string& method : methods_)
    if (!best_rate(method).empty()) all.push_back(figures(method));
  check(!all.empty(), "[compare] no run came to its end; see ", (out_ / "logs").string(), ".");
  print(all);
  write_file(out_ / "summary.json", study_json(all));
  write_file(out_ / "curves.csv", study_csv(all));
  write_file(out_ / "curves.svg", study_svg(all));
  for (const std::string& log : failures_) std::cerr << "failed: " << log << "\n";
  return failures_.empty() ? kExitDone : kExitBadInput;
}

int Study::run() {
  if (run_missing(grid()) && run_missing(repeats())) return report();
  std::cerr << "Interrupted; the same command goes on.\n";
  return kExitInterrupted;
}

}  // namespace

int run_study(const StudyArguments& arguments) { return Study(arguments).run(); }

}  // namespace gdsd
