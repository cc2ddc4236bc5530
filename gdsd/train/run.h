// A run folder: one configuration, its log and its checkpoints, and how to go on after a kill.
#pragma once

#include <chrono>

#include "gdsd/base/run_lock.h"
#include "gdsd/base/run_log.h"
#include "gdsd/eval/evaluate.h"
#include "gdsd/train/checkpoint.h"
#include "gdsd/train/observer.h"

namespace gdsd {

/// What training and pretraining have in common. The keys stand at the top of a config.
struct RunOptions {
  std::string run_dir;
  uint64_t seed = 42;
  int64_t steps = 100;
  int64_t save_every = 10;
  int64_t keep_last = 2;
  int64_t keep_best = 1;
  TaskOptions task;
  OptimizerOptions optimizer;
  EvaluationOptions eval;
  ComputeOptions compute;

  template <class F>
  void fields(F&& f) {
    f("run_dir", run_dir, "folder for everything the run writes");
    f("seed", seed, "of every random number but the held-out problems and the tasks' splits");
    f("steps", steps, "steps in all");
    f("save_every", save_every, "steps between checkpoints");
    f("keep_last", keep_last, "newest checkpoints to keep");
    f("keep_best", keep_best, "checkpoints to keep besides whose eval.best is highest");
    f("task", task, "where problems come from and how answers are judged");
    f("optimizer", optimizer, "");
    f("eval", eval, "");
    f("compute", compute, "");
  }
  void validate() const;
};

/// What to do with a run folder that is in use.
enum class Existing {
  kResume,   // go on if it is the same run, else Error
  kSetAside  // rename it to RUN.old, RUN.old2, …, and begin
};

enum class Outcome { kDone, kInterrupted };

/// What the run in a folder was configured with, nullopt where there is none or it lacks `path`.
std::optional<std::string> stored_option(const std::string& run_dir, const std::string& path);

/// Seconds in each phase of one step.
class PhaseClock {
 public:
  explicit PhaseClock(Observer& observer) : observer_(observer) {}
  void begin(Phase phase);
  /// "seconds/act", …, and "seconds" for all; the clock starts again.
  std::map<std::string, double> take();

 private:
  using Clock = std::chrono::steady_clock;
  void stop();

  Observer& observer_;
  std::optional<Phase> phase_;
  Clock::time_point since_;
  std::map<std::string, double> seconds_;
};

/// The folder of a run that is under way.
class Run {
 public:
  /// Finds where the run in the folder stands, takes its lock, and changes nothing. `model` is what
  /// the run begins with, empty for a new one. Throws Error for a folder that another process uses
  /// or that holds something else, a run of another configuration (`config` without its steps and
  /// how often and how many checkpoints it keeps, which may change) or model, or one that has done
  /// more steps.
  Run(const RunOptions& options, const std::vector<Field>& config,
      const std::filesystem::path& model, Existing existing, Observer& observer);

  /// Whether all steps are done: then there is leave() to call and nothing else.
  bool finished() const { return state_.step == options_.steps; }

  /// Tells the observer that nothing is to be done, and does what a kill in the last save left
  /// undone: usually nothing is written.
  void leave();

  /// The step to do next; 0, which only evaluates, for a new run that evaluates at all.
  int64_t first_step() const;
  bool evaluation_due(int64_t step) const;

  /// The model to go on with, or nullopt at the beginning.
  std::optional<std::filesystem::path> model_folder() const { return checkpoint_; }
  void restore(Optimizer& optimizer) const;

  /// Makes the folder, or sets an old one aside, and opens its log. `summary` is what the observer
  /// is told of the run.
  void begin(const std::vector<std::pair<std::string, std::string>>& summary,
             int64_t tokens_per_step);

  /// Logs what step `step` reported, tells the observer, and saves a checkpoint where one is due:
  /// after save_every steps, at the end, at a new best evaluation, and on an interrupt.
  /// → whether to go on.
  bool finish_step(int64_t step, const std::map<std::string, double>& metrics, PhaseClock& clock,
                   const Model& model, const Optimizer& optimizer);

 private:
  void find(const std::filesystem::path& model);
  void open_folder();

  RunOptions options_;
  std::vector<Field> config_;
  Existing existing_;
  Observer& observer_;
  std::filesystem::path folder_;
  std::optional<RunLock> lock_;  // of the folder, once there is one
  RunState state_;
  std::optional<std::filesystem::path> checkpoint_;
  int64_t tokens_per_step_ = 0;
  std::unique_ptr<RunLog> log_;
};

}  // namespace gdsd
