// A training run of a second: a model too small to learn, on four puzzles a step.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <functional>

#include "gdsd/base/file.h"
#include "gdsd/train/pretrain.h"
#include "gdsd/train/train.h"
#include "tests/error_of.h"

namespace gdsd {

struct Recorder : Observer {
  std::vector<std::string> notices;
  std::vector<StepReport> reports;
  int64_t resumed_after = -1;
  int64_t interrupt_after = -1;  // step
  std::function<void()> at_start;

  void on_start(const std::vector<std::pair<std::string, std::string>>&, int64_t done,
                int64_t) override {
    resumed_after = done;
    if (at_start) at_start();
  }
  void on_step(const StepReport& report) override { reports.push_back(report); }
  void on_notice(const std::string& text) override { notices.push_back(text); }
  bool interrupted() override {
    // Asked before the step is reported.
    return interrupt_after >= 0 && static_cast<int64_t>(reports.size()) == interrupt_after;
  }
};

/// An empty folder of this test's own.
inline std::filesystem::path fresh_folder(const std::string& name) {
  const auto* test = testing::UnitTest::GetInstance()->current_test_info();
  const auto folder = std::filesystem::path(testing::TempDir()) /
                      concat("gdsd_", test ? test->name() : "suite", "_", name, "_", getpid());
  std::filesystem::remove_all(folder);
  return folder;
}

inline PretrainConfig tiny_pretraining(const std::filesystem::path& run_dir) {
  PretrainConfig c;
  c.run_dir = run_dir;
  c.steps = 5;
  c.save_every = 2;
  c.batch = 4;
  c.architecture = LladaConfig{.d_model = 16,
                               .n_layers = 2,
                               .n_heads = 2,
                               .n_kv_heads = 2,
                               .mlp_hidden_size = 24,
                               .max_sequence_length = 32,
                               .rope_theta = 100};
  c.sampler = {.gen_length = 16, .block_length = 16, .steps = 4};
  c.eval = {.every = 2, .problems = 8};
  c.compute = {.device = DeviceChoice::kCpu, .threads = 2};
  return c;
}

inline TrainConfig tiny_training(const std::filesystem::path& model,
                                 const std::filesystem::path& run_dir) {
  TrainConfig c;
  c.model = model;
  c.run_dir = run_dir;
  c.steps = 5;
  c.save_every = 2;
  c.inner_steps = 2;
  c.rollout = {.prompts = 2,
               .group_size = 4,
               .sampler = {.gen_length = 16, .block_length = 16, .steps = 4, .temperature = 1}};
  c.eval = {.every = 2, .problems = 8};
  c.compute = {.device = DeviceChoice::kCpu, .threads = 2};
  return c;
}

/// A base model, made once.
inline const std::filesystem::path& base() {
  static const std::filesystem::path folder = [] {
    const auto run_dir = std::filesystem::path(testing::TempDir()) / concat("gdsd_base_", getpid());
    std::filesystem::remove_all(run_dir);
    Recorder quiet;
    pretrain(tiny_pretraining(run_dir), Existing::kResume, quiet);
    return run_dir / "latest";
  }();
  return folder;
}

inline Recorder run(const TrainConfig& config, Existing existing = Existing::kResume) {
  Recorder recorder;
  train(config, existing, recorder);
  return recorder;
}

/// Whether what() of the Error that f throws has `part` in it; prints it if not.
inline testing::AssertionResult fails_with(const std::string& part,
                                           const std::function<void()>& f) {
  const std::string error = error_of(f);
  if (error.find(part) != std::string::npos) return testing::AssertionSuccess();
  return testing::AssertionFailure() << error;
}

/// Every metric of every step, within `tolerance` relative to its size (or 1e-6).
inline void expect_close(const Recorder& a, const Recorder& b, double tolerance) {
  ASSERT_EQ(a.reports.size(), b.reports.size());
  for (size_t i = 0; i < a.reports.size(); ++i)
    for (const auto& [name, value] : a.reports[i].metrics)
      EXPECT_NEAR(value, b.reports[i].metrics.at(name), 1e-6 + tolerance * std::abs(value))
          << name << " at step " << i;
}

/// What must be equal, to the last bit, of two runs that computed the same: contents by file name.
inline std::map<std::string, std::string> products(const std::filesystem::path& run_dir) {
  std::map<std::string, std::string> out;
  for (const char* name :
       {"metrics.jsonl", "latest/model.safetensors", "latest/trainer/optimizer.safetensors",
        "latest/trainer/state.json", "best/model.safetensors"})
    out[name] = read_file(run_dir / name);
  return out;
}

/// EXPECT_EQ without printing files.
inline void expect_same_products(const std::filesystem::path& a, const std::filesystem::path& b) {
  const auto left = products(a), right = products(b);
  for (const auto& [name, bytes] : left)
    EXPECT_TRUE(bytes == right.at(name)) << name << " differs between " << a << " and " << b;
}

}  // namespace gdsd
