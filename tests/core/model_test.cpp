#include "gdsd/denoiser/model.h"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "gdsd/base/file.h"
#include "gdsd/base/yaml.h"
#include "gdsd/text/char_tokenizer.h"
#include "tests/core/table_denoiser.h"
#include "tests/core/tiny_model.h"
#include "tests/error_of.h"

namespace gdsd {
namespace {

using nlohmann::json;
const CharTokenizer kTokenizer("0123456789");
static_assert(CharTokenizer::kMask == kTinyVocabulary.mask_id);

/// A folder with a tiny model in it.
std::filesystem::path saved_model(const std::string& name) {
  const auto folder = std::filesystem::path(testing::TempDir()) / ("model_test_" + name);
  std::filesystem::remove_all(folder);
  std::filesystem::create_directory(folder);
  save_model(folder, tiny_llada(), kTokenizer);
  return folder;
}

/// What loading says, after the folder's name.
std::string load_error(const std::filesystem::path& folder) {
  try {
    load_model(folder, Compute{}, Use::kInference);
  } catch (const Error& e) {
    return e.what();
  }
  return "no error";
}

std::string error_with_config(const std::string& key, const json& value) {
  const auto folder = saved_model("config");
  json config = json::parse(read_file(folder / "config.json"));
  if (value.is_discarded()) config.erase(key);
  if (!value.is_discarded()) config[key] = value;
  write_file(folder / "config.json", config.dump());
  const std::string e = load_error(folder), where = "[model] " + (folder / "config.json").string();
  EXPECT_TRUE(e.starts_with(where)) << e;
  return e.substr(std::min(e.size(), where.size()));
}

const json kNoValue(json::value_t::discarded);

std::string error_with_tensors(const std::function<void(TensorMap&)>& change) {
  const auto folder = saved_model("tensors");
  TensorMap tensors = tiny_llada().parameters();
  change(tensors);
  std::filesystem::remove(folder / "model.safetensors");
  write_safetensors(folder / "model.safetensors", tensors);
  const std::string e = load_error(folder);
  EXPECT_NE(e.find(folder.string()), std::string::npos) << e;  // names the folder
  return e;
}

TEST(Model, RoundTripsBitForBit) {
  const Transformer before = tiny_llada();
  const Model after = load_model(saved_model("round_trip"), Compute{}, Use::kTraining);
  ASSERT_EQ(after.denoiser->parameters().size(), before.parameters().size());
  for (const auto& [name, tensor] : before.parameters()) {
    EXPECT_TRUE(tensor.equal(after.denoiser->parameters().at(name))) << name;
    EXPECT_TRUE(after.denoiser->parameters().at(name).requires_grad()) << name;
  }
  EXPECT_TRUE(after.denoiser->architecture() == before.architecture());
  EXPECT_EQ(after.denoiser->vocabulary().size, kTinyVocabulary.size);
  EXPECT_EQ(after.denoiser->vocabulary().mask_id, kTinyVocabulary.mask_id);
  EXPECT_EQ(after.denoiser->vocabulary().eos_id, kTinyVocabulary.eos_id);
  EXPECT_EQ(after.denoiser->vocabulary().pad_id, kTinyVocabulary.pad_id);
  EXPECT_EQ(after.tokenizer->encode("907"), kTokenizer.encode("907"));
}

TEST(Model, ForInferenceIsStoredInTheTypeOfItsProductsWithoutGradients) {
  const auto folder = saved_model("inference");
  const auto model = load_denoiser(folder, {at::kCPU, at::kBFloat16}, Use::kInference);
  for (const auto& [name, tensor] : model->parameters()) {
    EXPECT_EQ(tensor.scalar_type(), at::kBFloat16) << name;
    EXPECT_FALSE(tensor.requires_grad()) << name;
  }
  EXPECT_TRUE(model->trainable().empty());
}

TEST(Model, OutlivesItsFiles) {
  const auto folder = saved_model("outlives"), file = folder / "model.safetensors";
  const auto model = load_denoiser(folder, Compute{}, Use::kInference);
  const std::string zeros(std::filesystem::file_size(file), '\0');  // in place: no new file
  std::fstream(file, std::ios::in | std::ios::out) << zeros;
  const Transformer before = tiny_llada();
  for (const auto& [name, tensor] : before.parameters())
    EXPECT_TRUE(tensor.equal(model->parameters().at(name))) << name;
}

TEST(Model, KeepsTheConfigItWasLoadedWith) {
  const auto folder = saved_model("config_kept"), again = folder / "again";
  json config = json::parse(read_file(folder / "config.json"));
  config["torch_dtype"] = "bfloat16";
  config["of_others"] = "kept";
  write_file(folder / "config.json", config.dump());
  const Model model = load_model(folder, Compute{}, Use::kTraining);
  std::filesystem::create_directory(again);
  save_model(again, *model.denoiser, *model.tokenizer);
  config["torch_dtype"] = "float32";  // what is written now
  EXPECT_EQ(json::parse(read_file(again / "config.json")), config);
}

TEST(Model, IsNeverSavedOverAnother) {
  const auto folder = saved_model("twice");
  EXPECT_THROW(save_model(folder, tiny_llada(), kTokenizer), Error);
}

// The keys that Hugging Face's LLaDA code reads, with the values of the released config.json.
TEST(Model, WritesAConfigThatTheReleasedCodeReads) {
  const json config = json::parse(read_file(saved_model("readable") / "config.json"));
  EXPECT_EQ(config["architectures"], json({"LLaDAModelLM"}));
  EXPECT_EQ(config["auto_map"]["AutoModelForCausalLM"], "modeling_llada.LLaDAModelLM");
  EXPECT_EQ(config["block_type"], "llama");
  EXPECT_EQ(config["d_model"], 16);
  EXPECT_EQ(config["n_kv_heads"], 4);
  EXPECT_EQ(config["vocab_size"], 13);
  EXPECT_EQ(config["embedding_size"], 13);
  EXPECT_EQ(config["mask_token_id"], 1);
  EXPECT_EQ(config["rope_theta"], 500000.0);
  EXPECT_EQ(config["weight_tying"], false);
}

TEST(Model, ErrorsNameTheConfigAndItsKey) {
  EXPECT_EQ(error_with_config("d_model", kNoValue), ": key 'd_model' is missing.");
  EXPECT_EQ(error_with_config("mask_token_id", kNoValue), ": key 'mask_token_id' is missing.");
  EXPECT_EQ(error_with_config("block_type", kNoValue),
            ": key 'block_type' is missing, expected \"llama\".");
  EXPECT_EQ(error_with_config("block_type", "sequential"),
            ": block_type is \"sequential\", expected \"llama\": the only kind of model this "
            "program knows.");
  EXPECT_EQ(error_with_config("n_layers", "two"),
            ": key 'n_layers' got \"two\", expected integer.");
  EXPECT_EQ(error_with_config("n_layers", 1 << 20),
            ": n_layers: must be positive and at most 4096, got 1048576.");
  EXPECT_EQ(error_with_config("vocab_size", 14), ": vocab_size 14 is more than embedding_size 13.");
  EXPECT_EQ(error_with_config("n_heads", 3), ": n_heads: 3 does not divide d_model 16.");
  EXPECT_EQ(error_with_config("mask_token_id", 13), ": mask_token_id 13 is outside 0 … 12.");
  EXPECT_NE(load_error("/nonexistent").find("/nonexistent/config.json: no such file"),
            std::string::npos);
}

/// `text` within `depth` lists.
std::string nested(int depth, const std::string& text) {
  return std::string(depth, '[') + text + std::string(depth, ']');
}

TEST(Model, DeepNestingIsRefusedWhereverItStands) {
  const std::string deep = nested(1'000'000, "");
  for (const std::string& config : {deep, "{\"architectures\": " + deep + "}"})
    EXPECT_NE(error_of([&] { parse_model_config(config, "here"); }).find("here: nested deeper"),
              std::string::npos);
  const std::string header = R"({"a": {"dtype": )" + deep + "}}";
  EXPECT_NE(error_of([&] { parse_safetensors_header(header, 0, "here"); }).find("nested deeper"),
            std::string::npos);
}

TEST(Model, AWidthThatOverflowsIsRefused) {
  auto config = nlohmann::json::parse(make_model_config(LladaConfig{}, {13, -1, 1, 2, 0}).json);
  config["mlp_hidden_size"] = nullptr;
  config["mlp_ratio"] = config["d_model"] = int64_t{1} << 40;
  EXPECT_NE(error_of([&] { parse_model_config(config.dump(), "here"); }).find("no width"),
            std::string::npos);
}

TEST(Model, ErrorsNameTheTensor) {
  const std::string q = "model.transformer.blocks.1.q_proj.weight";
  EXPECT_TRUE(
      error_with_tensors([&](TensorMap& t) {
        t.erase(q);
      }).starts_with("[model] the tensors are not those of the config:\n  '" + q + "' is missing"));
  EXPECT_TRUE(error_with_tensors([&](TensorMap& t) {
                t[q] = at::zeros({16, 8});
              })
                  .starts_with("[model] the tensors are not those of the config:\n  '" + q +
                               "' has shape [16, 8], expected [16, 16]"));
  EXPECT_TRUE(
      error_with_tensors([&](TensorMap& t) { t["extra"] = at::zeros({1}); })
          .ends_with("'extra' is unexpected\n  in " +
                     (std::filesystem::path(testing::TempDir()) / "model_test_tensors").string()));
  const std::string v = "model.transformer.blocks.1.v_proj.weight";
  const std::string all = error_with_tensors([&](TensorMap& t) {
    t.erase(q);
    t[v] = t[v].to(at::kDouble);
    t["extra"] = at::zeros({1});
  });
  const std::vector<std::string> parts{"'" + q + "' is missing",
                                       "'" + v + "' is of type Double, expected float32",
                                       "'extra' is unex"};
  for (const std::string& part : parts) EXPECT_NE(all.find(part), std::string::npos) << all;
}

TEST(Model, ErrorsNameATruncatedFile) {
  const auto folder = saved_model("truncated"), file = folder / "model.safetensors";
  std::filesystem::resize_file(file, std::filesystem::file_size(file) - 1);
  const std::string e = load_error(folder);
  EXPECT_TRUE(e.starts_with("[safetensors] " + file.string() + ": ")) << e;
  EXPECT_TRUE(e.ends_with("Is the file truncated?")) << e;
  std::filesystem::remove(file);
  EXPECT_NE(load_error(folder).find(file.string() + ": cannot read"), std::string::npos);
}

TEST(Model, RefusesATokenizerLargerThanItsVocabulary) {
  const auto folder = saved_model("tokenizer");
  CharTokenizer("0123456789abcdef").save(folder);
  EXPECT_NE(load_error(folder).find("the tokenizer has 19 tokens, the model only 13."),
            std::string::npos)
      << load_error(folder);
}

}  // namespace
}  // namespace gdsd
