#include "gdsd/train/run.h"

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

void set_aside(const fs::path& folder) {
  for (int n = 1;; ++n) {
    const fs::path aside = folder.string() + ".old" + (n > 1 ? std::to_string(n) : "");
    if (fs::exists(aside)) continue;
    return fs::rename(folder, aside);
  }
}

/// "runs/a/" is "runs/a": a name that ".old" can be put after.
fs::path without_slash(const std::string& folder) {
  const fs::path path = fs::path(folder).lexically_normal();
  return path.has_filename() ? path : path.parent_path();
}

/// The folder must hold the run of this very configuration.
void check_same_run(const fs::path& folder, const std::vector<Field>& config) {
  const char* hint = " Choose another run_dir, or add --fresh to set this one aside.";
  check(fs::exists(folder / "config.yaml"), "[run_dir] ", folder.string(),
        " is not empty and holds no run to go on with.", hint);
  std::map<std::string, std::string> before;
  for (const Setting& s : read_yaml(folder / "config.yaml")) before[s.path] = s.text;
  for (const Field& field : config) {
    const auto found = before.find(field.path);
    const std::string was = found == before.end() ? "nothing" : "'" + found->second + "'";
    check(kMayChange.contains(field.path) || was == "'" + field.text + "'", "[run_dir] ",
          folder.string(), " holds a run with another configuration: ", field.path, " was ", was,
          ", now '", field.text, "'.", hint);
  }
}

}  // namespace

void RunOptions::validate() const {
  check_field(!run_dir.empty(), "run_dir", "must be given.");
  check_field(steps > 0, "steps", "must be positive, got ", steps, ".");
  check_field(save_every > 0, "save_every", "must be positive, got ", save_every, ".");
  check_field(keep_last > 0, "keep_last", "must be positive, got ", keep_last, ".");
  check_field(keep_best >= 0, "keep_best", "must not be negative, got ", keep_best, ".");
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

Run::Run(const RunOptions& options, const std::vector<Field>& config, Existing existing,
         Observer& observer)
    : options_(options),
      config_(config),
      existing_(existing),
      observer_(observer),
      folder_(without_slash(options.run_dir)) {
  if (existing == Existing::kSetAside || is_unused(folder_)) return;
  check_same_run(folder_, config);
  auto found = newest_checkpoint(folder_, [&](const auto& w) { observer.on_notice(w); });
  if (!found) return;
  check(found->state.step <= options.steps, "[steps] got ", options.steps, ", but the run in ",
        folder_.string(), " has done ", found->state.step, " already.");
  state_ = found->state;
  checkpoint_ = found->folder;
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
    if (existing_ == Existing::kSetAside && !is_unused(folder_)) set_aside(folder_);
    fs::create_directories(folder_);
    write_file(folder_ / "config.yaml", to_yaml(config_));  // first: it marks the folder as ours
    fs::create_directories(folder_ / "checkpoints");
    repair_checkpoints(folder_);
  } catch (const fs::filesystem_error& e) {
    throw Error(concat("[run_dir] ", folder_.string(), ": ", e.code().message(), "."));
  }
  log_ = std::make_unique<RunLog>(folder_, first_step(), state_.metrics_bytes);
  observer_.on_start(summary, state_.step, options_.steps);
}

bool Run::finish_step(int64_t step, const std::map<std::string, double>& metrics, PhaseClock& clock,
                      const Model& model, const Optimizer& optimizer) {
  log_->write(step, metrics);
  state_.step = step;
  const auto solved = metrics.find("eval/solved");
  state_.score = solved == metrics.end() ? std::nullopt : std::optional(solved->second);

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
