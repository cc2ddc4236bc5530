// The models of a run: what it began with, and what became of it.
#pragma once

#include "cli/results.h"
#include "gdsd/denoiser/model.h"

namespace gdsd {

class RunModels {
 public:
  /// As this machine can: the run may have been computed on another one. `use` says in an error
  /// what the run's `model` is needed for. Throws Error if that is not there any more.
  RunModels(const RunResult& run, const ComputeOptions& compute, const std::string& use);

  const std::filesystem::path& base_folder() const { return base_; }

  /// The run's `model`, with a new adapter if the run trains one.
  Model base(Use use) const;

  /// A checkpoint of the run, an adapter on the run's `model`. Throws Error if its files are
  /// damaged, or the weights in `model` are not those that the run began with.
  Model at(const std::filesystem::path& checkpoint, Use use) const;

 private:
  Model load(const std::filesystem::path& from, Use use) const;

  const RunResult& run_;
  std::filesystem::path base_;
  std::string fingerprint_;
  Compute compute_;
};

}  // namespace gdsd
