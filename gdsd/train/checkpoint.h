// Checkpoints: folders that appear whole or not at all, each a Hugging Face folder that other tools
// open, with a folder `trainer` beside the model that holds what training needs to go on.
//
//   RUN/checkpoints/step-000040/config.json, model.safetensors, tokenizer.json, …
//                               trainer/optimizer.safetensors, trainer/state.json
//                               manifest.json: size and XXH3 of every file
//   RUN/latest, RUN/best        symbolic links
#pragma once

#include <functional>
#include <optional>

#include "gdsd/denoiser/model.h"
#include "gdsd/train/optimizer.h"

namespace gdsd {

/// Everything about a run's progress that is not a tensor.
struct RunState {
  int64_t step = 0;             // steps done
  uint64_t metrics_bytes = 0;   // length of metrics.jsonl then
  std::optional<double> score;  // eval.best at this very step, if it was evaluated
  std::string model;            // weights_fingerprint of what the run began with; "" if new
};

struct Checkpoint {
  std::filesystem::path folder;
  RunState state;
};

/// What the checkpoint in this folder says of its run. Throws Error naming the file.
RunState read_state(const std::filesystem::path& checkpoint);

/// How many checkpoints a run keeps.
struct Retention {
  int64_t last = 2;  // the newest
  int64_t best = 1;  // those of highest score besides
};

/// Throws Error unless every file of a checkpoint is as its manifest says.
void verify(const std::filesystem::path& checkpoint);

/// The newest checkpoint of the run whose files are all as they were written, and whose lines of
/// metrics.jsonl are there; `warn` hears of each newer one that is not so. nullopt if there is
/// none, Error if none is sound.
std::optional<Checkpoint> newest_checkpoint(const std::filesystem::path& run_dir,
                                            const std::function<void(const std::string&)>& warn);

/// Writes a checkpoint, and only when it is on disk removes those that are not to be kept.
void save_checkpoint(const std::filesystem::path& run_dir, const RunState& state,
                     const Model& model, const Optimizer& optimizer, const Retention& keep);

/// Does what a kill during a save left undone: unfinished folders go, links point where they
/// should. Checkpoints later than `step`, which the run goes on from, were found damaged: they get
/// a name, "step-….damaged", under which nothing looks for them. Writes only where it must.
void repair_checkpoints(const std::filesystem::path& run_dir, int64_t step);

/// The highest score of any checkpoint that is kept.
std::optional<double> best_score(const std::filesystem::path& run_dir);

}  // namespace gdsd
