#include "gdsd/denoiser/lora.h"

#include <c10/core/GradMode.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "gdsd/base/file.h"
#include "gdsd/denoiser/model.h"
#include "gdsd/denoiser/peft.h"
#include "gdsd/text/char_tokenizer.h"
#include "tests/core/table_denoiser.h"
#include "tests/core/tiny_model.h"

namespace gdsd {
namespace {

using nlohmann::json;

LoraOptions of_rank(int64_t rank, const std::string& targets = "all") {
  LoraOptions o;
  o.rank = rank;
  o.alpha = 5;
  o.targets = targets;
  return o;
}

/// An adapter that changes something: B is not zero. Of the model's own type.
Adapter random_adapter(const Transformer& model, const LoraOptions& options) {
  Adapter adapter = new_adapter(model.architecture(), options, "base", {7});
  const at::ScalarType type = model.parameters().begin()->second.scalar_type();
  for (auto& [name, part] : adapter.modules) {
    part.A = part.A.to(type);
    part.B = (random_tensor(part.B.sizes(), name) - 0.5).to(type);
  }
  return adapter;
}

Tensor states(const Transformer& model) {
  const Packed x{random_tokens(14, kTinyVocabulary.size, "x"), {6, 8}};
  return model.states(x, all_rows(x));
}

std::filesystem::path saved_adapter(const std::string& name, const json& changes = json::object()) {
  const auto folder = std::filesystem::path(testing::TempDir()) / ("lora_test_" + name);
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  Adapter adapter = random_adapter(tiny_llada(), of_rank(2));
  json config = json::parse(adapter.json);
  config.update(changes);
  adapter.json = config.dump();
  write_peft(folder, adapter);
  return folder;
}

std::string reading_error(const std::filesystem::path& folder) {
  try {
    read_peft(folder, tiny_model_config().architecture, at::kCPU);
  } catch (const Error& e) {
    return e.what();
  }
  return "no error";
}

TEST(Lora, ChangesNothingAtFirst) {
  const Transformer model = tiny_llada();
  const Transformer adapted =
      model.with_adapter(new_adapter(model.architecture(), of_rank(3), "base", {7}));
  EXPECT_EQ(adapted.adapter().modules.size(), 2u * 7u);
  EXPECT_TRUE(states(adapted).equal(states(model)));
}

TEST(Lora, IsTheMergedModel) {
  const Transformer model = tiny_llada(tiny_config(), at::kDouble, at::kDouble);
  const Transformer adapted = model.with_adapter(random_adapter(model, of_rank(3)));
  TensorMap merged = model.parameters();
  MergeLoss loss;
  for (const auto& [name, part] : adapted.adapter().modules)
    merged.at(name + ".weight") = merge(merged.at(name + ".weight"), part, loss);
  EXPECT_GE(max_difference(states(adapted), states(model)), 0.1);
  EXPECT_LE(
      max_difference(states(Transformer(model.config(), merged, Compute{.dtype = at::kDouble})),
                     states(adapted)),
      1e-12);
  EXPECT_EQ(loss.lost_squares, 0);
  // Switched off it is the base, on the same memory.
  EXPECT_TRUE(states(adapted.with_adapter({})).equal(states(model)));
  EXPECT_EQ(adapted.with_adapter({}).parameters().begin()->second.data_ptr(),
            model.parameters().begin()->second.data_ptr());
}

TEST(Lora, HasTheGradientOfItsValue) {
  const Transformer base = tiny_llada(tiny_config(), at::kDouble, at::kDouble);
  Adapter adapter = random_adapter(base, of_rank(2));
  for (auto& [name, part] : adapter.modules) part.A.requires_grad_(), part.B.requires_grad_();
  const Transformer model = base.with_adapter(adapter);
  const Tensor factor = random_tensor({14, 16}, "factor");
  auto value = [&] { return (states(model) * factor).sum(); };
  value().backward();
  EXPECT_EQ(model.trainable().size(), 2 * adapter.modules.size());
  const at::NoGradGuard no_grad;
  for (const auto& [name, tensor] : model.trainable()) {
    Tensor flat = tensor.view(-1);
    const int64_t n = flat.numel() / 2;
    const double w = flat[n].item<double>(), step = 1e-5;
    flat[n] = w + step;
    const double up = value().item<double>();
    flat[n] = w - step;
    const double down = value().item<double>();
    flat[n] = w;
    EXPECT_NEAR(tensor.grad().view(-1)[n].item<double>(), (up - down) / (2 * step), 1e-6) << name;
  }
}

TEST(Lora, TargetsAreNamedByRole) {
  const std::set<Role> all(kRoles.begin(), kRoles.end());
  EXPECT_EQ(target_roles("all", Family::kLlada), all);
  EXPECT_EQ(target_roles("released", Family::kDream), all);
  EXPECT_EQ(target_roles("released", Family::kLlada),
            (std::set<Role>{Role::kQ, Role::kK, Role::kV, Role::kUp}));
  EXPECT_EQ(target_roles("q,down", Family::kLlada), (std::set<Role>{Role::kQ, Role::kDown}));
  EXPECT_THROW(target_roles("q,,v", Family::kLlada), FieldError);
  EXPECT_THROW(target_roles("ff_out", Family::kLlada), FieldError);
}

// PEFT adapts the matrices that the config's pattern or list hits: ours must hit the same ones.
TEST(Lora, WritesAConfigThatAdaptsExactlyItsMatrices) {
  const Architecture architecture = tiny_model_config().architecture;
  for (const char* targets : {"all", "released", "q,v", "o,gate,down"}) {
    const auto folder = saved_adapter("targets");
    for (const char* file : {"adapter_config.json", "adapter_model.safetensors"})
      std::filesystem::remove(folder / file);
    const Adapter written = new_adapter(architecture, of_rank(2, targets), "base", {1});
    write_peft(folder, written);
    const Adapter read = read_peft(folder, architecture, at::kCPU);
    ASSERT_EQ(read.modules.size(), written.modules.size()) << targets;
    for (const auto& [name, part] : written.modules) {
      EXPECT_TRUE(part.A.equal(read.modules.at(name).A)) << name;
      EXPECT_DOUBLE_EQ(part.scale, read.modules.at(name).scale) << name;
    }
  }
}

TEST(Lora, RefusesByNameWhatItCannotHonour) {
  for (const auto& [key, value] : std::map<std::string, json>{{"peft_type", "LOHA"},
                                                              {"use_dora", true},
                                                              {"bias", "all"},
                                                              {"lora_bias", true},
                                                              {"fan_in_fan_out", true},
                                                              {"init_lora_weights", "pissa"},
                                                              {"modules_to_save", {"lm_head"}},
                                                              {"layer_replication", {{0, 1}}},
                                                              {"rank_pattern", 3},
                                                              {"target_modules", {"q_proj", 3}},
                                                              {"lora_alpha", "8"},
                                                              {"target_modules", "(("}}) {
    const auto folder = saved_adapter("refused", {{key, value}});
    const std::string e = reading_error(folder);
    EXPECT_TRUE(e.starts_with("[adapter] " + (folder / "adapter_config.json").string())) << e;
    EXPECT_NE(e.find(key), std::string::npos) << e;
  }
}

TEST(Lora, ListsEveryTensorThatDoesNotFitItsConfig) {
  const std::string e = reading_error(saved_adapter("list", {{"target_modules", {"q_proj"}}}));
  EXPECT_NE(e.find("'model.transformer.blocks.0.v_proj' has tensors"), std::string::npos) << e;
  EXPECT_NE(e.find("'model.transformer.blocks.1.ff_out' has tensors"), std::string::npos) << e;
  EXPECT_EQ(e.find("q_proj'"), std::string::npos) << e;
  EXPECT_NE(reading_error(saved_adapter("rank", {{"r", 3}})).find("has A [2, 16] and B [16, 2]"),
            std::string::npos);
}

// A folder of an adapter is a model, if its base is here.
TEST(Lora, LoadsWithItsBaseAndIsSavedAlone) {
  const auto root = std::filesystem::path(testing::TempDir()) / "lora_test_model";
  std::filesystem::remove_all(root);
  for (const char* name : {"base", "adapter"}) std::filesystem::create_directories(root / name);
  const CharTokenizer tokenizer("0123456789");
  save_model(root / "base", tiny_llada(), tokenizer);
  const Model model = load_model(root / "base", Compute{}, Use::kTraining, of_rank(2), {1});
  EXPECT_EQ(model.denoiser->trainable().size(), 2u * 2u * 7u);
  save_model(root / "adapter", *model.denoiser, tokenizer);
  EXPECT_FALSE(std::filesystem::exists(root / "adapter" / "model.safetensors"));
  const Model again = load_model(root / "adapter", Compute{}, Use::kInference);
  EXPECT_TRUE(states(*again.denoiser).equal(states(*model.denoiser)));
  EXPECT_THROW(load_model(root / "adapter", Compute{}, Use::kInference, of_rank(2)), Error);
  std::filesystem::rename(root / "base", root / "elsewhere");
  EXPECT_THROW(load_model(root / "adapter", Compute{}, Use::kInference), Error);
  EXPECT_NO_THROW(load_model(root / "elsewhere", Compute{}, Use::kInference,
                             {.from = (root / "adapter").string()}));
}

}  // namespace
}  // namespace gdsd
