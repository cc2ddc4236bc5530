#include "gdsd/train/run.h"

#include <algorithm>
#include <set>

#include "gdsd/base/yaml.h"

namespace gdsd {

namespace {

namespace fs = std::filesystem;

/// Keys that change what is kept or how long a run is, not what its steps compute. (The learning
/// rate's decay does follow `steps`.)
const std::set<std::string> kMayChange{"run_dir", "steps", "save_every", "keep_last", "keep_best"};

/// Empty but for hidden files, which are temporaries of a run killed before it began.
bool is_unused(const fs::path& folder) {
  if (!fs::exists(folder)) return true;
  for (const auto& entry : fs::directory_iterator(folder))
    if (!entry.path().filename().string().starts_with(".")) return false;
  return true;
}

/// "runs/a/" is "runs/a": a name that ".old" can be put after.
fs::path without_slash(const std::string& folder) {
  const fs::path path = fs::path(folder).lexically_normal();
  return path.has_filename() ? path : path.parent_path();
}

constexpr const char* kHint = " Choose another run_dir, or add --fresh to set this one aside.";

/// The configuration in the folder, by path. It must be this very one.
std::map<std::string, std::string> check_same_run(const fs::path& folder,
                                                  const std::vector<Field>& config) {
  std::map<std::string, std::string> before;
  for (const Setting& s : read_yaml(folder / "config.yaml")) before[s.path] = s.text;
  for (const Field& field : config) {
    const auto found = before.find(field.path);
    const std::string was = found == before.end() ? "nothing" : "'" + found->second + "'";
    check(kMayChange.contains(field.path) || was == "'" + field.text + "'", "[run_dir] ",
          folder.string(), " holds a run with another configuration: ", field.path, " was ", was,
          ", now '", field.text, "'.", kHint);
  }
  return before;
}

/// A run folder without checkpoints must be one that was killed before its first was due: after
/// save_every steps, at the end, or at the first evaluation.
void check_never_saved(const fs::path& folder, const std::map<std::string, std::string>& config,
                       const std::function<void(const std::string&)>& warn) {
  auto number = [&](const char* path) {
    int64_t value = 0;
    check(config.contains(path) && from_text(config.at(path), value),
          (folder / "config.yaml").string(), ": ", path, " is missing.");
    return value;
  };
  const int64_t every = number("eval.every");
  int64_t due = std::min(number("steps"), number("save_every"));
  if (every > 0) due = std::min(due, every);
  const fs::path log = folder / "metrics.jsonl";
  const std::string text = fs::exists(log) ? read_file(log) : "";
  const auto lines = std::count(text.begin(), text.end(), '\n');
  check(lines <= due + (every > 0) && !fs::is_symlink(folder / "latest"), "[run_dir] ",
        folder.string(), ": the checkpoints of this run are gone; ", lines,
        " lines of metrics.jsonl are there.", kHint);
  if (lines > 0) warn(concat(folder.string(), " has no checkpoint yet: beginning anew."));
}

/// A run that begins with a checkpoint of its own could not be begun again.
void check_outside(const fs::path& model, const fs::path& run_dir) {
  if (model.empty()) return;
  const fs::path from = fs::weakly_canonical(model), to = fs::weakly_canonical(run_dir);
  const auto [end, rest] = std::mismatch(to.begin(), to.end(), from.begin(), from.end());
  check(end != to.end(), "[model] ", model.string(), " lies in run_dir ", run_dir.string(),
        ", which this run writes to. Choose another run_dir.");
}

/// What makes a checkpoint the best, where the step was evaluated. Later than at the first evaluation
/// a metric may be missing: a reward that applied to no answer, say.
std::optional<double> best_metric(const std::string& name, int64_t step,
                                  const std::map<std::string, double>& metrics) {
  if (!metrics.contains("eval/solved")) return std::nullopt;
  const auto found = metrics.find(name);
  if (found == metrics.end() && step > 0) return std::nullopt;
  std::string names;
  for (const auto& [known, value] : metrics)
    if (known.starts_with("eval/")) names += (names.empty() ? "" : ", ") + known;
  check(found != metrics.end(), "[eval.best] got '", name, "', but evaluations report ", names,
        ".");
  return found->second;
}

}  // namespace

void RunOptions::validate() const {
  check_field(!run_dir.empty(), "run_dir", "must be given.");
  constexpr int64_t kMost = 1'000'000'000;
  check_count(steps, "steps", 1, kMost);
  check_count(save_every, "save_every", 1, kMost);
  check_count(keep_last, "keep_last", 1, kMost);
  check_count(keep_best, "keep_best", 0, kMost);
}

std::optional<std::string> stored_option(const std::string& run_dir, const std::string& path) {
  const fs::path file = without_slash(run_dir) / "config.yaml";
  std::error_code none;  // what is wrong with the folder Run says
  if (!fs::is_regular_file(file, none)) return std::nullopt;
  for (const Setting& s : read_yaml(file))
    if (s.path == path) return s.text;
  return std::nullopt;
}

void PhaseClock::stop() {
  const auto now = Clock::now();
  if (phase_)
    seconds_[concat("seconds/", enum_names(*phase_).at(static_cast<size_t>(*phase_)))] +=
        std::chrono::duration<double>(now - since_).count();
  since_ = now;
}

void PhaseClock::begin(Phase phase) {
  stop();
  phase_ = phase;
  observer_.on_phase(phase);
}

std::map<std::string, double> PhaseClock::take() {
  stop();
  phase_.reset();
  double sum = 0;
  for (const auto& [name, seconds] : seconds_) sum += seconds;
  auto out = std::exchange(seconds_, {});
  out["seconds"] = sum;
  return out;
}

Run::Run(const RunOptions& options, const std::vector<Field>& config, const fs::path& model,
         Existing existing, Observer& observer)
    : options_(options),
      config_(config),
      existing_(existing),
      observer_(observer),
      folder_(without_slash(options.run_dir)) {
  check_outside(model, folder_);
  if (!is_unused(folder_)) find(model);
  if (!model.empty() && !finished() && state_.model.empty())
    state_.model = weights_fingerprint(model);
}

/// Of a folder that is in use.
void Run::find(const fs::path& model) {
  check(existing_ == Existing::kSetAside || fs::exists(folder_ / "config.yaml"), "[run_dir] ",
        folder_.string(), " is not empty and holds no run to go on with.", kHint);
  lock_.emplace(folder_);
  if (existing_ == Existing::kSetAside) return;
  const auto before = check_same_run(folder_, config_);
  auto warn = [&](const std::string& text) { observer_.on_notice(text); };
  const auto found = newest_checkpoint(folder_, warn);
  if (!found) return check_never_saved(folder_, before, warn);
  check(found->state.step <= options_.steps, "[steps] got ", options_.steps, ", but the run in ",
        folder_.string(), " has done ", found->state.step, " already.");
  state_ = found->state;
  checkpoint_ = found->folder;
  check(finished() || model.empty() || weights_fingerprint(model) == state_.model,
        "[model] the model in ", model.string(), " is not the one that the run in ",
        folder_.string(), " began with.", kHint);
}

void Run::leave() {
  repair_checkpoints(folder_, state_.step);
  observer_.on_start({}, state_.step, options_.steps);
}

int64_t Run::first_step() const { return checkpoint_ || !evaluation_due(0) ? state_.step + 1 : 0; }

bool Run::evaluation_due(int64_t step) const {
  const int64_t every = options_.eval.every;
  return every > 0 && (step % every == 0 || step == options_.steps);
}

void Run::restore(Optimizer& optimizer) const {
  if (checkpoint_)
    optimizer.load_state(read_safetensors(*checkpoint_ / "trainer" / "optimizer.safetensors"));
}

void Run::begin(const std::vector<std::pair<std::string, std::string>>& summary,
                int64_t tokens_per_step) {
  tokens_per_step_ = tokens_per_step;
  try {
    open_folder();
  } catch (const fs::filesystem_error& e) {
    throw Error(concat("[run_dir] ", folder_.string(), ": ", e.code().message(), "."));
  }
  observer_.on_start(summary, state_.step, options_.steps);
}

void Run::open_folder() {
  if (lock_ && existing_ == Existing::kSetAside) {
    fs::rename(folder_, free_name(folder_.string() + ".old"));
    lock_.reset();
  }
  const bool resumed = lock_.has_value();
  if (!resumed) {
    fs::create_directories(folder_);
    lock_.emplace(folder_);
    check(is_unused(folder_), "[run_dir] ", folder_.string(), ": another run has begun in it.");
    write_file(folder_ / "config.yaml", to_yaml(config_));  // first: it marks the folder as ours
  }
  fs::create_directories(folder_ / "checkpoints");
  log_ = std::make_unique<RunLog>(folder_, first_step(), state_.metrics_bytes);
  // Only now, so that where the log cannot be opened the folder says what it did.
  if (resumed) write_file(folder_ / "config.yaml", to_yaml(config_));
  repair_checkpoints(folder_, state_.step);
}

bool Run::finish_step(int64_t step, const std::map<std::string, double>& metrics, PhaseClock& clock,
                      const Model& model, const Optimizer& optimizer) {
  log_->write(step, metrics);
  state_.step = step;
  state_.score = best_metric(options_.eval.best, step, metrics);

  const bool last = step == options_.steps, interrupted = !last && observer_.interrupted();
  const auto best = state_.score ? best_score(folder_) : std::nullopt;
  const bool new_best = step > 0 && state_.score && (!best || *state_.score > *best);
  clock.begin(Phase::kSave);
  if (last || interrupted || new_best || (step > 0 && step % options_.save_every == 0)) {
    log_->sync();
    state_.metrics_bytes = log_->metrics_bytes();
    save_checkpoint(folder_, state_, model, optimizer, {options_.keep_last, options_.keep_best});
  }
  auto timing = clock.take();
  if (step > 0)
    timing["tokens_per_second"] = static_cast<double>(tokens_per_step_) / timing.at("seconds");
  log_->write_timing(step, timing);
  observer_.on_step({step, options_.steps, metrics, timing});
  return !interrupted;
}

}  // namespace gdsd
