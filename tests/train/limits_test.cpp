// Options too large for any machine, and what training is said to hold in memory.
#include "gdsd/base/progress.h"
#include "gdsd/denoiser/init_weights.h"
#include "gdsd/train/summary.h"
#include "tests/core/tiny_model.h"
#include "tests/train/tiny_run.h"

namespace gdsd {
namespace {

template <class Config>
std::string refusal(Config config, const std::string& path, const std::string& value) {
  assign(config, path, value);
  return error_of([&] { validate(config); });
}

TEST(Limits, CountsHaveThem) {
  TrainConfig train = tiny_training("model", "run");
  EXPECT_EQ(error_of([&] { validate(train); }), "no error");
  for (const char* path : {"steps", "save_every", "keep_last", "keep_best", "inner_steps",
                           "rollout.prompts", "rollout.group_size", "rollout.batch",
                           "rollout.sampler.gen_length", "rollout.sampler.steps", "eval.problems",
                           "eval.batch", "objective.masking.views", "compute.threads"})
    for (const char* value : {"99999999999", "9000000000000000000", "-1"}) {
      const std::string error = refusal(train, path, value);
      EXPECT_EQ(error.find(concat(path, ": got ", value, ", expected ")), 0u) << error;
    }
  const std::string error = refusal(train, "rollout.group_size", "1000000");
  EXPECT_EQ(error,
            "rollout.prompts: 2 problems × 1000000 rollouts are 2000000, expected at most "
            "1000000.");
  EXPECT_NE(refusal(train, "compute.threads", "100000").find("expected 0 … 1024"),
            std::string::npos);
  EXPECT_NE(refusal(tiny_pretraining("run"), "batch", "99999999999").find("expected 1 … 1000000"),
            std::string::npos);
}

TEST(Limits, ANewModelMustFitTheMachine) {
  PretrainConfig config = tiny_pretraining(fresh_folder("run"));
  assign(config, "architecture.n_layers", "16000000");
  assign(config, "architecture.d_model", "4096");
  EXPECT_TRUE(fails_with(
      "a model of 1079T parameters needs 15695.6 TiB of memory, and this machine has ", [&] {
        Recorder quiet;
        pretrain(config, Existing::kResume, quiet);
      }));
  EXPECT_FALSE(std::filesystem::exists(config.run_dir));
}

TEST(Limits, ParametersAreThoseOfTheTensors) {
  for (const ArchitectureOptions& options :
       {ArchitectureOptions(tiny_config()), ArchitectureOptions(DreamConfig{})}) {
    const Architecture a = tiny_model_config(options).architecture;
    double sum = 0;
    for (const auto& [name, tensor] : init_weights(a, Key{}))
      sum += static_cast<double>(tensor.numel());
    EXPECT_EQ(parameter_count(a), sum);
  }
}

TEST(Limits, EveryWorkerHasGradientsOfItsOwnAndTheirSumIsOneMore) {
  ModelConfig made = tiny_model_config();
  TensorMap weights = init_weights(made.architecture, Key{});
  for (auto& [name, tensor] : weights) tensor.requires_grad_(true);
  const double bytes = 4 * parameter_count(made.architecture);
  const Transformer model(std::move(made), std::move(weights), {});
  auto expected = [&](double gradients) {
    return concat(human_bytes(bytes), " weights + ", human_bytes(gradients * bytes),
                  " gradients + ", human_bytes(2 * bytes),
                  " optimiser = ", human_bytes((3 + gradients) * bytes), ", activations besides");
  };
  EXPECT_EQ(training_memory(model, {.workers = 1}, /*reference=*/false), expected(1));
  EXPECT_EQ(training_memory(model, {.workers = 2}, /*reference=*/false), expected(3));
}

}  // namespace
}  // namespace gdsd
