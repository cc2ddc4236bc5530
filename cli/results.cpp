#include "cli/results.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "cli/configs.h"

namespace gdsd {

namespace {

namespace fs = std::filesystem;
using Line = std::map<std::string, double>;

double get(const Line& line, const char* name, const fs::path& file) {
  const auto found = line.find(name);
  check(found != line.end(), file.string(), ": step ", line.at("step"), " has no '", name, "'.");
  return found->second;
}

/// The lines of metrics.jsonl, of a run that did all its steps.
std::vector<Line> read_lines(const fs::path& folder, int64_t steps) {
  const fs::path file = folder / "metrics.jsonl";
  std::vector<Line> lines = read_metrics(file);
  for (size_t i = 1; i < lines.size(); ++i)
    check(lines[i - 1].at("step") < lines[i].at("step"), file.string(), ":", i + 1, ": step ",
          lines[i].at("step"), " after step ", lines[i - 1].at("step"), ".");
  check(!lines.empty() && lines.back().at("step") == static_cast<double>(steps), folder.string(),
        ": this run has not done its ", steps, " steps yet.");
  check(lines.front().contains("eval/solved") && lines.back().contains("eval/solved"),
        folder.string(), ": this run was never evaluated (eval.every is 0).");
  return lines;
}

/// What must be equal for two runs to be of one method.
std::string signature(const RunResult& run) {
  std::string text;
  for (const Field& field : list_fields(run.config))
    if (field.path != "seed" && field.path != "run_dir" &&
        field.path != "compute.activation_checkpointing")  // auto's choice; no bit depends on it
      text += field.path + "=" + field.text + "\n";
  return text;
}

/// What an evaluation depends on: the base, the problems, and how they are decoded.
std::map<std::string, std::string> evaluation(const RunResult& run) {
  std::map<std::string, std::string> keys;
  for (const Field& field : list_fields(run.config)) {
    const std::string& path = field.path;
    if (path == "model" || path == "eval.problems" || path == "eval.temperature" ||
        path.starts_with("task.") ||
        (path.starts_with("rollout.sampler.") && path != "rollout.sampler.temperature"))
      keys[path] = field.text;
  }
  return keys;
}

void check_alike(const RunResult& first, const RunResult& run) {
  auto a = evaluation(first), b = evaluation(run);
  for (const auto& [key, value] : b) a.try_emplace(key, "nothing");
  for (const auto& [key, value] : a) {
    const std::string other = b.contains(key) ? b.at(key) : "nothing";
    check(value == other, run.folder.string(), ": was not evaluated like ", first.folder.string(),
          ": ", key, " is ", other, ", there ", value, ". Such runs cannot stand in one table.");
  }
}

/// The objective, and as much of the folder's path as tells the method from the others.
std::string name_of(const RunResult& run, const std::vector<Method>& others) {
  const std::string objective =
      std::visit([](const auto& o) { return std::string(o.kName); }, run.config.objective);
  const auto is_taken = [&](const std::string& name) {
    return std::any_of(others.begin(), others.end(),
                       [&](const Method& other) { return other.name == name; });
  };
  std::string name = objective;
  fs::path tail, rest = fs::canonical(run.folder);
  while (is_taken(name) && rest.has_relative_path()) {
    tail = tail.empty() ? rest.filename() : rest.filename() / tail;
    rest = rest.parent_path();
    name = concat(objective, " (", tail.string(), ")");
  }
  return name;
}

Interval interval(double solved, size_t seeds, int64_t problems) {
  const auto n = static_cast<int64_t>(seeds) * problems;
  return wilson(std::llround(solved * static_cast<double>(n)), n);
}

}  // namespace

RunResult read_run(const fs::path& folder) {
  const fs::path config = folder / "config.yaml";
  check(fs::exists(folder), folder.string(), ": no such folder.");
  check(fs::is_directory(folder) && fs::exists(config), folder.string(),
        ": not the folder of a run.");
  check(!is_config_of<TrainConfig, PretrainConfig>(config), folder.string(),
        ": this is a run of `gdsd pretrain`, expected runs of `gdsd train`.");
  RunResult run;
  run.folder = folder;
  run.config = load_options<TrainConfig>(config);
  const std::vector<Line> lines = read_lines(folder, run.config.steps);
  const fs::path file = folder / "metrics.jsonl";
  for (const Line& line : lines) {
    const double step = line.at("step");
    if (step > 0) run.reward.emplace_back(step, get(line, "reward", file));
    if (line.contains("eval/solved")) run.solved.emplace_back(step, line.at("eval/solved"));
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

double RunResult::auc() const {
  double sum = 0;
  for (const auto& [step, value] : reward) sum += value;
  return sum / static_cast<double>(reward.size());
}

double RunResult::late_reward() const {
  const size_t n = std::max<size_t>(1, reward.size() / 4);
  double sum = 0;
  for (size_t i = reward.size() - n; i < reward.size(); ++i) sum += reward[i].second;
  return sum / static_cast<double>(n);
}

fs::path RunResult::base() const {
  const fs::path model = config.model, run_dir = fs::path(config.run_dir).lexically_normal();
  if (model.is_absolute() || run_dir.is_absolute()) return model;
  // The run was started where its folder is called run_dir.
  fs::path start = fs::canonical(folder), name = run_dir;
  while (!name.empty() && name.filename() == start.filename()) {
    start = start.parent_path();
    name = name.parent_path();
  }
  return name.empty() && fs::exists(start / model) ? start / model : model;
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

Row base_row(const std::vector<Method>& methods) {
  const RunResult& first = methods[0].runs[0];
  return {.name = "base",
          .solved = first.base_solved,
          .interval = interval(first.base_solved, 1, first.config.eval.problems),
          .cell = first.base_cell};
}

Row row_of(const Method& m) {
  const double solved = m.mean(&RunResult::final_solved);
  return {.name = m.name,
          .seeds = m.runs.size(),
          .solved = solved,
          .interval = interval(solved, m.runs.size(), m.runs[0].config.eval.problems),
          .cell = m.mean(&RunResult::final_cell),
          .auc = m.mean_auc(),
          .seconds = m.mean(&RunResult::seconds)};
}

Row row_of(const RunResult& run) { return row_of(Method{concat("seed ", run.config.seed), {run}}); }

std::vector<Method> read_methods(const std::vector<std::string>& folders) {
  std::vector<Method> methods;
  std::map<std::string, size_t> by_signature;
  std::set<fs::path> seen;
  for (const std::string& folder : folders) {
    RunResult run = read_run(folder);
    check(seen.insert(fs::canonical(folder)).second, folder, ": this run is given twice.");
    if (!methods.empty()) check_alike(methods[0].runs[0], run);
    const auto [at, is_new] = by_signature.emplace(signature(run), methods.size());
    if (is_new) methods.push_back({name_of(run, methods), {}});
    std::vector<RunResult>& runs = methods[at->second].runs;
    for (const RunResult& other : runs)
      check(run.config.seed != other.config.seed, folder, ": the same configuration and seed as ",
            other.folder.string(), ".");
    runs.push_back(std::move(run));
  }
  return methods;
}

}  // namespace gdsd
