#include "cli/run_models.h"

#include "gdsd/train/checkpoint.h"

namespace gdsd {

namespace fs = std::filesystem;

RunModels::RunModels(const RunResult& run, const ComputeOptions& compute, const std::string& use)
    : run_(run), base_(run.base()) {
  check(fs::exists(base_), run.folder.string(), ": its base, ", run.config.model,
        ", is not there any more, seen from ", fs::current_path().string(), ", and ", use);
  fingerprint_ = weights_fingerprint(base_);
  compute_ = open_compute(compute, config_of(base_).architecture.width);
}

Model RunModels::base(Use use) const { return load(base_, use); }

Model RunModels::at(const fs::path& checkpoint, Use use) const {
  verify(checkpoint);
  check(read_state(checkpoint).model == fingerprint_, run_.folder.string(), ": the weights in ",
        base_.string(), " are not those that the run began with.");
  return load(checkpoint, use);
}

Model RunModels::load(const fs::path& from, Use use) const {
  const TrainConfig& config = run_.config;
  return load_of_run(base_, from, compute_, use, config.lora, Key{config.seed}.fork("lora"));
}

}  // namespace gdsd
