// A plan against what the same run really allocates.
#include "gdsd/train/plan.h"

#include "gdsd/base/yaml.h"
#include "gdsd/tensor/tally.h"
#include "tests/train/tiny_run.h"

namespace gdsd {
namespace {

/// A base of width 256, so that it runs on this thread alone, and a run that trains it.
TrainConfig planned_run(const std::filesystem::path& folder, int64_t width) {
  PretrainConfig base = tiny_pretraining(folder / "base");
  base.architecture = LladaConfig{.d_model = width,
                                  .n_layers = 3,
                                  .n_heads = 4,
                                  .n_kv_heads = 4,
                                  .mlp_hidden_size = 3 * width,
                                  .max_sequence_length = 64};
  base.steps = 1;
  base.eval.every = 0;
  Recorder recorder;
  pretrain(base, Existing::kResume, recorder);
  TrainConfig config = tiny_training(folder / "base" / "latest", folder / "run");
  config.steps = 1;
  config.compute = {.precision = Precision::kFloat32, .threads = 1};
  return config;
}

int64_t prompt_tokens(const TrainConfig& config) {
  const auto tokenizer = load_tokenizer(config.model);
  return static_cast<int64_t>(
      tokenizer->encode(problems_of(config.task)->draw(Split::kTrain, Key{}).prompt).size());
}

/// |plan − measured| ≤ 10 % of the measured peak of a whole run.
void expect_right(const TrainConfig& config) {
  const ModelConfig model = config_of(config.model);
  const Compute compute = open_compute(config.compute, model.architecture.width);
  const auto planned =
      static_cast<double>(make_plan(config, model, compute, prompt_tokens(config)).peak());
  const MemoryTally tally;
  Recorder recorder;
  train(config, Existing::kResume, recorder);
  const auto measured = static_cast<double>(tally.peak());
  EXPECT_NEAR(planned / measured, 1, 0.1) << planned << " planned, " << measured << " measured";
}

TEST(Plan, SaysWhatAFullTrainingRunNeeds) {
  TrainConfig config = planned_run(fresh_folder("full"), 256);
  expect_right(config);
}

TEST(Plan, SaysWhatAnAdapterNeedsWithActivationCheckpointing) {
  TrainConfig config = planned_run(fresh_folder("lora"), 256);
  config.lora.rank = 8;
  config.rollout.group_size = 16;
  config.compute.activation_checkpointing = Checkpointing::kOn;
  expect_right(config);
}

TEST(Plan, SaysWhatMicroBatchesAndManyEvaluationsNeed) {
  TrainConfig config = planned_run(fresh_folder("micro"), 320);
  config.rollout.group_size = 16;
  config.micro_batch = 8;
  config.eval.problems = 128;
  expect_right(config);
}

TEST(Plan, AutoComputesAgainWhereTrainingDoesNotFitWithout) {
  const TrainConfig config = tiny_training(base(), fresh_folder("auto"));
  const ModelConfig model = config_of(config.model);
  const Compute compute = open_compute(config.compute, model.architecture.width);
  const int64_t peak = make_plan(config, model, compute, 16).peak();
  EXPECT_FALSE(needs_checkpointing(config, model, compute, 16, 2 * peak));
  EXPECT_TRUE(needs_checkpointing(config, model, compute, 16, peak));
}

TEST(Checkpointing, ThatWasSettledStays) {
  const std::string key = "compute.activation_checkpointing";
  TrainConfig config = tiny_training(base(), fresh_folder("auto"));
  config.steps = 2;
  run(config);
  EXPECT_EQ(stored_option(config.run_dir, key), "off") << "a tiny run fits";

  config.run_dir = fresh_folder("on");
  config.compute.activation_checkpointing = Checkpointing::kOn;
  run(config);
  config.compute.activation_checkpointing = Checkpointing::kAuto;
  config.steps = 3;
  EXPECT_EQ(run(config).resumed_after, 2);
  EXPECT_EQ(stored_option(config.run_dir, key), "on");
  run(config, Existing::kSetAside);
  EXPECT_EQ(stored_option(config.run_dir, key), "off") << "a new run settles anew";
  config.compute.activation_checkpointing = Checkpointing::kOn;
  EXPECT_TRUE(fails_with(key + " was 'off', now 'on'", [&] { run(config); }));
}

TEST(Checkpointing, IsReadAsOnAndOffOrTrueAndFalse) {
  Checkpointing c = Checkpointing::kAuto;
  EXPECT_TRUE(from_text("true", c) && c == Checkpointing::kOn);
  EXPECT_TRUE(from_text("false", c) && c == Checkpointing::kOff);
  EXPECT_TRUE(from_text("on", c) && c == Checkpointing::kOn);
  EXPECT_TRUE(from_text("auto", c) && c == Checkpointing::kAuto);
  EXPECT_FALSE(from_text("yes", c));
  const std::vector<std::string> said{"model=m", "compute.activation_checkpointing=true"};
  const auto read = load_options<TrainConfig>(GDSD_SOURCE_DIR "/configs/sudoku_tiny.yaml", said);
  EXPECT_EQ(read.compute.activation_checkpointing, Checkpointing::kOn);
}

}  // namespace
}  // namespace gdsd
