// configs/paper: every row of the paper's table can be read and planned, for the model it names.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "gdsd/base/yaml.h"
#include "gdsd/reward/judge.h"
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

/// A config.json of the released models' sizes: LLaDA-8B-Instruct's and Dream-v0-Instruct-7B's.
fs::path shape_of(bool llada) {
  const std::string tiny = concat(GDSD_SOURCE_DIR "/tests/golden/models/",
                                  llada ? "llada" : "dream", "_tiny/checkpoint/config.json");
  auto config = nlohmann::json::parse(read_file(tiny));
  const auto sizes = nlohmann::json::parse(
      llada ? R"({"d_model": 4096, "n_layers": 32, "n_heads": 32, "n_kv_heads": 32,
                  "mlp_hidden_size": 12288, "vocab_size": 126464, "embedding_size": 126464,
                  "max_sequence_length": 4096, "mask_token_id": 126336, "eos_token_id": 126081,
                  "pad_token_id": 126081})"
            : R"({"hidden_size": 3584, "num_hidden_layers": 28, "num_attention_heads": 28,
                  "num_key_value_heads": 4, "intermediate_size": 18944, "vocab_size": 152064,
                  "max_position_embeddings": 131072, "mask_token_id": 151666,
                  "eos_token_id": 151643, "pad_token_id": 151643, "bos_token_id": 151643})");
  config.update(sizes);
  const fs::path folder = fs::path(testing::TempDir()) / (llada ? "gdsd_llada" : "gdsd_dream");
  fs::create_directories(folder);
  write_file(folder / "config.json", config.dump());
  return folder;
}

TEST(PaperConfigs, NameRewardsThatThereAreAndTheReleasedRecipes) {
  const auto load = [](const std::string& name) {
    return load_options<TrainConfig>(concat(GDSD_SOURCE_DIR "/configs/paper/", name, ".yaml"));
  };
  for (const fs::path& file : paper_configs()) {
    SCOPED_TRACE(file.filename());
    const auto config = load_options<TrainConfig>(file);
    if (!std::holds_alternative<CodeOptions>(config.task)) {  // that one needs a sandbox
      EXPECT_NO_THROW(Judge{config.task});
    }
  }
  const auto expect = [&](const std::string& name, int64_t prompts, int64_t G, int64_t inner,
                          double lr) {
    const TrainConfig c = load(name);
    EXPECT_EQ(c.rollout.prompts, prompts) << name;
    EXPECT_EQ(c.rollout.group_size, G) << name;
    EXPECT_EQ(c.inner_steps, inner) << name;
    EXPECT_DOUBLE_EQ(c.optimizer.lr, lr) << name;
  };
  // GPUs × rollouts a device × accumulation / G problems a step.
  expect("llada_gsm8k_gdsd", 8 * 10 * 4 / 16, 16, 8, 3e-6);
  expect("llada_math_gdsd", 8 * 8 * 4 / 16, 16, 8, 1e-5);
  expect("llada_countdown_espo", 8 * 3 * 4 / 6, 6, 8, 3e-6);
  expect("llada_math_espo", 8 * 2 * 16 / 16, 16, 8, 3e-6);
  expect("llada_code_espo", 8 * 1 * 20 / 10, 10, 8, 1e-6);
  expect("dream_countdown_wd1", 4 * 6 * 2 / 6, 6, 12, 3e-6);
  expect("llada_sudoku_wd1", 4 * 6 * 2 / 6, 6, 8, 3e-6);
  expect("llada_gsm8k_diffu_grpo", 8 * 6 * 2 / 6, 6, 12, 3e-6);
  expect("llada_math_dmpo", 8 * 8 * 2 / 16, 16, 8, 1e-6);
  expect("llada_gsm8k_spg", 8 * 6 * 2 / 6, 6, 4, 3e-6);
}

TEST(PaperConfigs, AimAtThePublishedFigures) {
  const std::map<std::string, const char*> figures{
      {"llada_sudoku_gdsd", "89.8 %"},    {"llada_sudoku_gdsd_tlc", "92.0 %"},
      {"llada_countdown_dmpo", "82.8 %"}, {"llada_gsm8k_gdsd", "86.4 %"},
      {"llada_math_wd1", "39.8 %"},       {"llada_sudoku_spg", "88.2 %"},
      {"dream_sudoku_espo", "72.3 %"},    {"dream_countdown_gdsd_tlc", "84.8 %"},
      {"dream_sudoku_wd1", "39.2 %"},     {"dream_countdown_diffu_grpo", "37.5 %"}};
  for (const auto& [name, figure] : figures)
    EXPECT_NE(read_file(concat(GDSD_SOURCE_DIR "/configs/paper/", name, ".yaml")).find(figure),
              std::string::npos)
        << name;
}

/// Those of one model, on a GPU.
void expect_plans(bool llada) {
  for (const fs::path& file : paper_configs()) {
    SCOPED_TRACE(file.filename());
    auto config = load_options<TrainConfig>(file);
    if (config.model.starts_with("LLaDA") != llada) continue;
    config.compute.device = DeviceChoice::kCuda;
    const ModelConfig model = config_of(shape_of(llada));
    const Compute gpu{
        .device = at::kCUDA,
        .dtype = at::kBFloat16,
        .activation_checkpointing = config.compute.activation_checkpointing == Checkpointing::kOn};
    const Plan plan = make_plan(config, model, gpu, /*P=*/300);
    const bool full = config.lora.rank == 0;
    EXPECT_GT(plan.weights, int64_t{14} << 30);
    EXPECT_EQ(plan.adapter > 0, !full);
    EXPECT_LT(plan.peak(), full ? 200e9 : 80e9) << "an adapter is trained on one card of 80 GB";
    EXPECT_GT(plan.learning_flops, plan.scoring_flops);
  }
}

TEST(PaperConfigs, OfLladaCanBePlanned) { expect_plans(true); }
TEST(PaperConfigs, OfDreamCanBePlanned) { expect_plans(false); }

}  // namespace
}  // namespace gdsd
