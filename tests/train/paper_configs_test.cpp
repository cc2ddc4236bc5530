// configs/paper: every row of the paper's table can be read and planned, for the model it names.
#include <gtest/gtest.h>

#include "gdsd/base/yaml.h"
#include "gdsd/train/plan.h"

namespace gdsd {
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> paper_configs() {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(GDSD_SOURCE_DIR "/configs/paper"))
    files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  return files;
}

TEST(PaperConfigs, AreReadAndSayWhatTheyAimAt) {
  const auto files = paper_configs();
  EXPECT_EQ(files.size(), 2u * 5 * 7);
  int with_figure = 0;
  for (const fs::path& file : files) {
    SCOPED_TRACE(file.filename());
    const auto config = load_options<TrainConfig>(file);
    const std::string name =
        std::visit([](const auto& t) { return std::string(t.kName); }, config.task);
    const std::string objective =
        std::visit([](const auto& o) { return std::string(o.kName); }, config.objective);
    EXPECT_EQ(file.stem().string(), concat(config.model.starts_with("LLaDA") ? "llada_" : "dream_",
                                           name, "_", objective));
    EXPECT_EQ(config.run_dir, "runs/paper/" + file.stem().string());
    with_figure += read_file(file).find("# Aims at ") != std::string::npos &&
                   read_file(file).find(" %") != std::string::npos;
  }
  EXPECT_EQ(with_figure, 4 * 7 + 2 * 5) << "the figures of the paper's two tables";
}

TEST(PaperConfigs, CanBePlanned) {
  const fs::path shared = fs::path(GDSD_DATA_FOLDER) / "data" / "model_configs";
  if (!fs::exists(shared)) GTEST_SKIP() << shared << " is not there";
  for (const fs::path& file : paper_configs()) {
    SCOPED_TRACE(file.filename());
    auto config = load_options<TrainConfig>(file);
    config.compute.device = DeviceChoice::kCuda;
    const bool llada = config.model.starts_with("LLaDA");
    const ModelConfig model =
        config_of(shared / (llada ? "llada-8b-instruct" : "dream-7b-instruct"));
    const Compute gpu{.device = at::kCUDA,
                      .dtype = at::kBFloat16,
                      .activation_checkpointing = config.compute.activation_checkpointing};
    const Plan plan = make_plan(config, model, gpu, /*P=*/300);
    const bool full = config.lora.rank == 0;
    EXPECT_GT(plan.weights, int64_t{14} << 30);
    EXPECT_EQ(plan.adapter > 0, !full);
    EXPECT_LT(plan.peak(), full ? 200e9 : 80e9) << "an adapter is trained on one card of 80 GB";
    EXPECT_GT(plan.learning_flops, plan.scoring_flops);
  }
}

}  // namespace
}  // namespace gdsd
