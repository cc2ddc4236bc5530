// The released models' config.json and index files, of GDSD_DATA/data/model_configs, by default of
// the folder shared/ beside the project. Skipped where they are not.
#include <nlohmann/json.hpp>

#include "gdsd/base/file.h"
#include "gdsd/train/plan.h"
#include "tests/train/tiny_run.h"

namespace gdsd {
namespace {

class ReleasedModel : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    const char* data = std::getenv("GDSD_DATA");
    folder_ =
        std::filesystem::path(data ? data : GDSD_DATA_FOLDER) / "data/model_configs" / GetParam();
    if (!std::filesystem::exists(folder_)) GTEST_SKIP() << "no " << folder_;
  }
  std::filesystem::path folder_;
};

TEST_P(ReleasedModel, HasTheTensorsOfItsIndex) {
  const ModelConfig config = read_model_config(folder_);
  const auto index = nlohmann::json::parse(read_file(folder_ / "model.safetensors.index.json"));
  std::set<std::string> expected, listed;
  for (const auto& [name, shape] : tensor_shapes(config.architecture)) expected.insert(name);
  for (const auto& [name, file] : index.at("weight_map").items()) listed.insert(name);
  EXPECT_EQ(listed, expected);
  EXPECT_EQ(index.at("metadata").at("total_size").get<double>(),
            2 * parameter_count(config.architecture));  // bfloat16
}

TEST_P(ReleasedModel, IsPlannedFromItsConfigAlone) {
  const ModelConfig model = read_model_config(folder_);
  const double parameters = parameter_count(model.architecture);
  TrainConfig config;
  config.model = folder_.string();
  config.rollout.sampler.gen_length = 256;
  config.rollout.sampler.block_length = 32;
  config.rollout.batch = config.micro_batch = config.eval.batch = 1;
  config.compute.activation_checkpointing = Checkpointing::kOn;
  const Compute gpu{.device = at::kCUDA, .dtype = at::kBFloat16, .activation_checkpointing = true};
  config.lora.rank = 128;
  const Plan adapter = make_plan(config, model, gpu, 128);
  EXPECT_EQ(static_cast<double>(adapter.weights), 2 * parameters);
  EXPECT_GT(adapter.peak(), adapter.weights + adapter.adapter);
  EXPECT_LE(adapter.peak(), 47'000'000'000);  // a card of 48 GB
  config.lora.rank = 0;
  const Plan full = make_plan(config, model, gpu, 128);
  EXPECT_EQ(static_cast<double>(full.weights), 4 * parameters);
  EXPECT_GT(full.peak(), 80'000'000'000);  // weights, gradients and moments in float32
}

INSTANTIATE_TEST_SUITE_P(, ReleasedModel,
                         testing::Values("llada-8b-base", "llada-8b-instruct", "dream-7b-instruct"),
                         [](const auto& test) {
                           std::string name = test.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

}  // namespace
}  // namespace gdsd
