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
    : options_(options), observer_(observer) {
  const fs::path folder = options.run_dir;
  try {
    if (existing == Existing::kSetAside && !is_unused(folder)) set_aside(folder);
    const bool unused = is_unused(folder);
    if (!unused) check_same_run(folder, config);
    fs::create_directories(folder / "checkpoints");
  } catch (const fs::filesystem_error& e) {
    throw Error(concat("[run_dir] ", folder.string(), ": ", e.code().message(), "."));
  }
  write_file(folder / "config.yaml", to_yaml(config));
  if (auto found = newest_checkpoint(folder, [&](const auto& w) { observer.on_notice(w); })) {
    state_ = found->state;
    checkpoint_ = found->folder;
  }
  log_ = std::make_unique<RunLog>(folder, first_step(), state_.metrics_bytes);
}

int64_t Run::first_step() const { return checkpoint_ || !evaluation_due(0) ? state_.step + 1 : 0; }

bool Run::evaluation_due(int64_t step) const {
  const int64_t every = options_.eval.every;
  return every > 0 && (step % every == 0 || step == options_.steps);
}

std::optional<fs::path> Run::model_folder() const { return checkpoint_; }

void Run::restore(Optimizer& optimizer) const {
  if (checkpoint_)
    optimizer.load_state(read_safetensors(*checkpoint_ / "trainer" / "optimizer.safetensors"));
}

void Run::save(const Model& model, const Optimizer& optimizer) {
  log_->sync();
  state_.metrics_bytes = log_->metrics_bytes();
  save_checkpoint(options_.run_dir, state_, model, optimizer, options_.keep_last,
                  options_.keep_best);
}

bool Run::finish_step(int64_t step, const std::map<std::string, double>& metrics,
                      PhaseClock& clock, double tokens, const Model& model,
                      const Optimizer& optimizer) {
  log_->write(step, metrics);
  state_.step = step;
  const auto solved = metrics.find("eval/solved");
  state_.score = solved == metrics.end() ? std::nullopt : std::optional(solved->second);

  const bool interrupted = observer_.interrupted();
  const auto best = best_score(options_.run_dir);
  const bool new_best = step > 0 && state_.score && (!best || *state_.score > *best);
  clock.begin(Phase::kSave);
  if (interrupted || new_best || (step > 0 && step % options_.save_every == 0) ||
      step == options_.steps)
    save(model, optimizer);

  auto timing = clock.take();
  if (tokens > 0) timing["tokens_per_second"] = tokens / timing.at("seconds");
  log_->write_timing(step, timing);
  observer_.on_step({step, options_.steps, metrics, timing});
  return !interrupted;
}

}  // namespace gdsd
