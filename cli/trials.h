// The runs of a study: where they are, how they are started, and which of them are done.
#pragma once

#include <set>

#include "cli/jobs.h"
#include "cli/verbs.h"
#include "gdsd/train/train.h"

namespace gdsd {

/// One run of a study, and where it is.
struct Trial {
  std::string method;  // as objective.name takes it
  std::string rate;
  int64_t seed = 1;
  std::filesystem::path folder;
};

class Trials {
 public:
  /// Throws Error for arguments and configs that no study can be made of.
  explicit Trials(const StudyArguments& arguments);

  Trial trial(const std::string& method, const std::string& rate, int64_t seed) const;

  /// What the run is told beside the config.
  std::vector<std::string> overrides_of(const Trial& trial) const;

  Job job(const Trial& trial) const;

  /// Throws Error for a folder that holds another run than the study's, or one that cannot go on;
  /// on standard error says what it passes over. Reads all of a checkpoint, and once.
  bool finished(const Trial& trial);

  const TrainConfig& config() const { return config_; }
  const std::filesystem::path& folder() const { return folder_; }
  int at_once() const { return at_once_; }

 private:
  void check_same(const Trial& trial, const std::string& hint) const;

  const StudyArguments& a_;
  TrainConfig config_;
  std::filesystem::path folder_;
  int at_once_ = 1;
  std::string base_;                          // fingerprint of the model
  std::set<std::filesystem::path> finished_;  // of those that were asked about
};

}  // namespace gdsd
