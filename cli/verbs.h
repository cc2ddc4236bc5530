// What `gdsd` can do: one function for each verb. Results go to standard output, the narration to
// standard error; the value is the exit code.
#pragma once

#include <string>
#include <vector>

namespace gdsd {

inline constexpr int kExitDone = 0, kExitFault = 1, kExitBadInput = 2, kExitInterrupted = 130;

struct RunArguments {
  std::string program;  // as the user called it
  std::string config = {};
  std::vector<std::string> overrides = {};
  bool fresh = false;
};

int run_train(const RunArguments& arguments);
int run_pretrain(const RunArguments& arguments);

struct CompareArguments {
  std::vector<std::string> runs;
  std::string json, html, note;
  double seconds = 0;
};
int run_compare(const CompareArguments& arguments);

struct StudyArguments {
  std::string config = {};
  std::vector<std::string> overrides = {};
  std::string methods =
      "gdsd,gdsd_tlc,espo,spg,wd1,dmpo,diffu_grpo,coupled_grpo,tracerl,gdsd_released";
  std::string rates = {};  // of the grid; empty for a third of the config's, itself and its double
  int64_t seeds = 1;
  int64_t jobs = 0;
  std::string out = {};
};
int run_study(const StudyArguments& arguments);

/// Every key of a config with its type, default and meaning.
std::string train_keys();
std::string pretrain_keys();

}  // namespace gdsd
