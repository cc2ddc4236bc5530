// gdsd compare CONFIG: runs what is missing of a study, and says what it came to.
#include "cli/study.h"

#include <algorithm>
#include <cstdio>
#include <iostream>
#include <set>
#include <sstream>

#include "cli/configs.h"
#include "cli/trials.h"
#include "gdsd/base/file.h"
#include "gdsd/base/progress.h"
#include "gdsd/base/run_lock.h"

namespace gdsd {

namespace {

namespace fs = std::filesystem;

std::vector<std::string> split_list(const std::string& text) {
  std::vector<std::string> parts{""};
  for (char c : text)
    if (c == ',')
      parts.emplace_back();
    else if (c != ' ')
      parts.back().push_back(c);
  return parts;
}

std::string spelt(double rate, const char* format) {
  char text[32];
  std::snprintf(text, sizeof text, format, rate);
  return text;
}

/// A third of it, itself and its double, in two digits.
std::vector<std::string> grid_around(double lr) {
  return {spelt(lr / 3, "%.2g"), spelt(lr, "%.2g"), spelt(lr * 2, "%.2g")};
}

/// The last error in a run's log.
std::string reason_in(const fs::path& log) {
  std::string reason;
  std::istringstream lines(fs::exists(log) ? read_file(log) : "");
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with("gdsd: ")) reason = line.substr(6);
  return reason;
}

/// A study under way.
class Study {
 public:
  explicit Study(const StudyArguments& a);
  int run();

 private:
  void read_methods();
  void read_rates();
  void tell_of_options_of_one_method() const;
  bool run_missing(const std::string& what, const std::vector<Trial>& trials);
  std::string best_rate(const std::string& method);
  std::vector<Trial> grid() const;
  std::vector<Trial> repeats();
  Figures figures(const std::string& method);
  int report();

  const StudyArguments& a_;
  Trials trials_;
  std::vector<std::string> methods_, rates_;
  bool has_failures_ = false;
};

Study::Study(const StudyArguments& a) : a_(a), trials_(a) {
  check(a.seeds >= 1 && a.seeds <= 1000, "--seeds: got ", a.seeds, ", expected 1 … 1000.");
  read_rates();
  read_methods();
  tell_of_options_of_one_method();
}

/// In ascending order: the first and the last are the edges of the grid. A rate has one spelling.
void Study::read_rates() {
  std::set<double> rates;
  const double lr = trials_.config().optimizer.lr;
  for (const std::string& rate : a_.rates.empty() ? grid_around(lr) : split_list(a_.rates)) {
    double value = 0;
    check(from_text(rate, value) && value > 0, "--lr: got '", rate,
          "', expected positive numbers with commas between.");
    check(rates.insert(value).second, "--lr: '", rate, "' is given twice.");
  }
  for (double rate : rates) rates_.push_back(spelt(rate, "%.12g"));
}

void Study::read_methods() {
  methods_ = split_list(a_.methods);
  check(std::set<std::string>(methods_.begin(), methods_.end()).size() == methods_.size(),
        "--methods: one of them is given twice.");
  for (const std::string& method : methods_)  // throws for a name that is none, or lacks an option
    load_options<TrainConfig>(a_.config, trials_.overrides_of(trials_.trial(method, rates_[0], 1)));
}

void Study::tell_of_options_of_one_method() const {
  const TrainConfig file = load_options<TrainConfig>(a_.config);
  const std::string chosen =
      std::visit([](const auto& o) { return std::string(o.kName); }, file.objective);
  if (methods_.size() < 2 || std::find(methods_.begin(), methods_.end(), chosen) == methods_.end())
    return;
  std::set<std::string> of_all;  // given after the config
  for (const std::string& word : a_.overrides) of_all.insert(parse_override(word).path);
  std::string own;
  std::visit(
      [&]<class O>(const O& objective) {
        const auto now = list_fields(objective), plain = list_fields(O{});
        for (size_t i = 0; i < now.size(); ++i)
          if (const std::string path = "objective." + now[i].path;
              now[i].text != plain[i].text && !of_all.contains(path))
            own += concat(own.empty() ? "" : ", ", path, "=", now[i].text);
      },
      file.objective);
  if (!own.empty())
    std::cerr << concat("of ", chosen, " alone, the others have defaults of their own: ", own,
                        " in ", a_.config, "\n");
}

/// → whether to go on.
bool Study::run_missing(const std::string& what, const std::vector<Trial>& trials) {
  std::vector<Trial> missing;
  std::vector<Job> jobs;
  for (const Trial& t : trials) {
    if (trials_.finished(t)) continue;
    missing.push_back(t);
    jobs.push_back(trials_.job(t));
  }
  if (!missing.empty())
    std::cerr << concat(what, ": ", missing.size(), " of ", trials.size(), " runs to do, ",
                        trials_.at_once(), " at a time, in ", trials_.folder().string(), "\n");
  size_t count = 0;
  return run_jobs(jobs, trials_.at_once(), [&](size_t i, int code) {
    const Trial& t = missing[i];
    std::string line = concat("[", ++count, "/", missing.size(), "] ", t.method, ", lr ", t.rate,
                              ", seed ", t.seed, ": ");
    if (code == kExitDone) {
      const RunResult run = read_run(t.folder);
      line += concat("solved ", fixed(run.final_solved, 3), ", auc ", fixed(run.auc(), 3), ", ",
                     human_duration(run.seconds));
    } else if (code == kExitInterrupted) {
      line += "interrupted";
    } else {
      has_failures_ = true;
      line += concat("failed: ", reason_in(jobs[i].log), " See ", jobs[i].log.string());
    }
    std::cerr << line << "\n";
  });
}

std::vector<Trial> Study::grid() const {
  std::vector<Trial> all;
  for (const std::string& method : methods_)
    for (const std::string& rate : rates_) all.push_back(trials_.trial(method, rate, 1));
  return all;
}

/// By the reward of the last training rollouts: held-out problems choose nothing.
std::string Study::best_rate(const std::string& method) {
  std::string best;
  double most = -1;
  for (const std::string& rate : rates_) {
    const Trial t = trials_.trial(method, rate, 1);
    if (!trials_.finished(t)) continue;
    const double reward = read_run(t.folder).late_reward();
    if (reward > most) most = reward, best = rate;
  }
  return best;
}

std::vector<Trial> Study::repeats() {
  std::vector<std::string> rates;
  for (const std::string& method : methods_) rates.push_back(best_rate(method));
  std::vector<Trial> all;
  for (int64_t seed = 2; seed <= a_.seeds; ++seed)
    for (size_t m = 0; m < methods_.size(); ++m)
      if (!rates[m].empty()) all.push_back(trials_.trial(methods_[m], rates[m], seed));
  return all;
}

Figures Study::figures(const std::string& method) {
  const std::string rate = best_rate(method);
  std::vector<RunResult> runs;
  for (int64_t seed = 1; !rate.empty() && seed <= a_.seeds; ++seed)
    if (const Trial t = trials_.trial(method, rate, seed); trials_.finished(t))
      runs.push_back(read_run(t.folder));
  Figures f = figures_of(method, rate, std::move(runs));
  f.failed = a_.seeds - std::ssize(f.runs);
  f.at_edge = rates_.size() > 1 && (rate == rates_.front() || rate == rates_.back());
  return f;
}

void print(const std::vector<Figures>& all) {
  std::cout
      << "method                lr        seeds  failed  final    ±95 %    auc  worst  collapses  "
         "seconds\n";
  char text[200];
  for (const Figures& f : all) {
    std::snprintf(text, sizeof text, "%-20s  %-8s%s  %5zu  %6lld", f.method.c_str(),
                  f.runs.empty() ? "-" : f.rate.c_str(), f.at_edge ? "*" : " ", f.runs.size(),
                  static_cast<long long>(f.failed));
    std::cout << text;
    if (!f.runs.empty()) {
      std::snprintf(text, sizeof text, "  %.3f   %s  %.3f  %.3f  %9lld  %7.1f", f.final_mean,
                    f.final_ci95 ? fixed(*f.final_ci95, 3).c_str() : "    -", f.auc_mean, f.worst,
                    static_cast<long long>(f.collapses), f.seconds);
      std::cout << text;
    }
    std::cout << "\n";
  }
  std::cout
      << "final: solved, of held-out problems, mean over seeds ± Student's 95 % interval. lr: of "
         "the grid, by seed 1's reward in the last quarter of training; * at its edge. failed: "
         "runs that did not come to their end, in no mean.\n";
}

int Study::report() {
  std::vector<Figures> all;
  for (const std::string& method : methods_) all.push_back(figures(method));
  print(all);
  std::erase_if(all, [](const Figures& f) { return f.runs.empty(); });
  check(!all.empty(), "[compare] no run came to its end; see ",
        (trials_.folder() / "logs").string(), ".");
  write_file(trials_.folder() / "summary.json", study_json(all));
  write_file(trials_.folder() / "curves.csv", study_csv(all));
  write_file(trials_.folder() / "curves.svg", study_svg(all));
  check(!has_failures_, "[compare] some runs failed; the same command tries them again.");
  return kExitDone;
}

int Study::run() {
  fs::create_directories(trials_.folder());
  const RunLock lock(trials_.folder());
  if (run_missing("the grid, with seed 1", grid()) && run_missing("the other seeds", repeats()))
    return report();
  std::cerr << "Interrupted; the same command goes on.\n";
  return kExitInterrupted;
}

}  // namespace

int run_study(const StudyArguments& arguments) { return Study(arguments).run(); }

}  // namespace gdsd
