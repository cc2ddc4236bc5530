#include "cli/results.h"

#include <numeric>

#include "gdsd/base/yaml.h"

namespace gdsd {

namespace {

namespace fs = std::filesystem;
using Line = std::map<std::string, double>;

double get(const Line& line, const char* name, const fs::path& file) {
  const auto found = line.find(name);
  check(found != line.end(), file.string(), ": step ", line.at("step"), " has no '", name, "'.");
  return found->second;
}

RunResult read_run(const fs::path& folder) {
  check(fs::exists(folder / "config.yaml"), folder.string(), ": not the folder of a run.");
  RunResult run;
  run.folder = folder;
  run.config = load_options<TrainConfig>(folder / "config.yaml");
  const fs::path file = folder / "metrics.jsonl";
  const std::vector<Line> lines = read_metrics(file);
  check(!lines.empty() && lines.back().at("step") == static_cast<double>(run.config.steps),
        folder.string(), ": this run has not done its ", run.config.steps, " steps yet.");
  check(lines.front().contains("eval/solved") && lines.back().contains("eval/solved"),
        folder.string(), ": this run was never evaluated (eval.every is 0).");
  for (const Line& line : lines) {
    if (line.at("step") > 0) run.reward.push_back(get(line, "reward", file));
    if (line.contains("eval/solved"))
      run.solved.emplace_back(static_cast<int64_t>(line.at("step")), line.at("eval/solved"));
  }
  run.base_solved = get(lines.front(), "eval/solved", file);
  run.base_cell = get(lines.front(), "eval/cell", file);
  run.final_solved = get(lines.back(), "eval/solved", file);
  run.final_cell = get(lines.back(), "eval/cell", file);

  std::map<double, double> seconds;  // a resumed run has timed some steps twice
  for (const Line& line : read_metrics(folder / "timing.jsonl"))
    seconds[line.at("step")] = get(line, "seconds", folder / "timing.jsonl");
  for (const auto& [step, s] : seconds) run.seconds += s;
  return run;
}

/// What must be equal for two runs to be of one method.
std::string signature(const RunResult& run) {
  std::string text;
  for (const Field& field : list_fields(run.config))
    if (field.path != "seed" && field.path != "run_dir")
      text += field.path + "=" + field.text + "\n";
  return text;
}

}  // namespace

double RunResult::auc() const {
  return std::accumulate(reward.begin(), reward.end(), 0.0) / static_cast<double>(reward.size());
}

double Method::mean(double RunResult::*figure) const {
  double sum = 0;
  for (const RunResult& run : runs) sum += run.*figure;
  return sum / static_cast<double>(runs.size());
}

double Method::mean_auc() const {
  double sum = 0;
  for (const RunResult& run : runs) sum += run.auc();
  return sum / static_cast<double>(runs.size());
}

std::vector<Method> read_methods(const std::vector<std::string>& folders) {
  std::vector<Method> methods;
  std::map<std::string, size_t> by_signature;
  for (const std::string& folder : folders) {
    RunResult run = read_run(folder);
    if (!methods.empty()) {
      const RunResult& first = methods[0].runs[0];
      check(run.config.model == first.config.model, run.folder.string(), ": trained from ",
            run.config.model, ", but ", first.folder.string(), " from ", first.config.model,
            ": runs with different bases cannot stand in one table.");
    }
    const auto [at, is_new] = by_signature.emplace(signature(run), methods.size());
    if (is_new) {
      std::string name =
          std::visit([](const auto& o) { return std::string(o.kName); }, run.config.objective);
      for (const Method& other : methods)
        if (other.name == name) name += " (" + run.folder.filename().string() + ")";
      methods.push_back({name, {}});
    }
    methods[at->second].runs.push_back(std::move(run));
  }
  return methods;
}

}  // namespace gdsd
