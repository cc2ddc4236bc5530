// lora/: adapters that PEFT wrote, what it computed with them, and what it merged them to.
#include "gdsd/denoiser/lora.h"

#include "gdsd/denoiser/model.h"
#include "gdsd/denoiser/peft.h"
#include "gdsd/tensor/vocabulary_head.h"
#include "tests/golden_test/golden.h"

namespace gdsd::golden {
namespace {

struct Case {
  path folder, base;
  json info;
  TensorMap golden;
  bool narrow;  // bfloat16 weights: what was computed with them is in logits_adapter_fp32 too

  explicit Case(const path& from)
      : folder(from),
        base(from.parent_path().parent_path() / "models" /
             read_json(from / "case.json").at("model") / "checkpoint"),
        info(read_json(from / "case.json")),
        golden(read_safetensors(from / "golden.safetensors")),
        narrow(info.at("dtype") == "bfloat16") {}

  /// PEFT's adapter as it is, its dropout too: nothing here draws any.
  std::unique_ptr<Transformer> load(at::ScalarType dtype, Use use) const {
    const auto model = load_denoiser(base, {.dtype = dtype}, Use::kInference);
    Adapter adapter = read_peft(folder, model->architecture(), at::kCPU);
    for (auto& [name, part] : adapter.modules) {
      part.A.requires_grad_(use == Use::kTraining);
      part.B.requires_grad_(use == Use::kTraining);
    }
    return std::make_unique<Transformer>(model->with_adapter(std::move(adapter)));
  }
  Packed tokens() const {
    const Tensor& ids = golden.at("input_ids");
    return {ids.flatten(), std::vector<int64_t>(ids.size(0), ids.size(1))};
  }
  Tensor expected(const std::string& name) const { return golden.at(name).flatten(0, 1); }
};

Tensor logits(const Transformer& model, const Packed& x) {
  const Rows all{at::arange(x.tokens.size(0), at::kLong), x.lengths};
  return model.states(x, all).matmul(model.head().t()).to(at::kFloat);  // [N, V], not shifted
}

void check_modules(const path& folder) {
  const Case c(folder);
  const auto model = c.load(at::kFloat, Use::kInference);
  std::vector<std::string> adapted;
  for (const auto& [name, part] : model->adapter().modules) {
    adapted.push_back(name);
    EXPECT_EQ(part.A.size(0), c.info.at("rank").at(name)) << name;
    EXPECT_NEAR(part.scale, c.info.at("scaling").at(name).get<double>(), 1e-12) << name;
  }
  EXPECT_EQ(adapted, c.info.at("adapted_modules").get<std::vector<std::string>>());
}

void check_logits(const path& folder) {
  const Case c(folder);
  const Packed x = c.tokens();
  const auto model = c.load(at::kFloat, Use::kInference);
  expect_close(logits(*model, x), c.expected(c.narrow ? "logits_adapter_fp32" : "logits_adapter"),
               0, 1e-4, "with the adapter");
  if (!c.narrow)
    expect_close(logits(model->with_adapter({}), x), c.expected("logits_base"), 0, 1e-4,
                 "with the adapter off");
  if (!c.narrow) return;
  expect_close(logits(*c.load(at::kBFloat16, Use::kInference), x),
               c.expected("logits_adapter_fp32"), 0,
               2 * c.info.at("bf16_vs_fp32_max_abs").get<double>(), "in bfloat16");
}

void check_merged(const path& folder) {
  const Case c(folder);
  const auto model = c.load(c.narrow ? at::kBFloat16 : at::kFloat, Use::kInference);
  TensorMap merged = model->parameters();
  MergeLoss loss;
  for (const auto& [name, part] : model->adapter().modules)
    merged.at(name + ".weight") = merge(merged.at(name + ".weight"), part, loss);
  int64_t found = 0;
  for (const auto& [name, tensor] : c.golden) {
    if (!name.starts_with("merged.")) continue;
    expect_close(merged.at(name.substr(7)).to(at::kFloat), tensor.to(at::kFloat), 0,
                 c.narrow ? 4e-3 : 1e-6, name);
    ++found;
  }
  EXPECT_GE(found, 1);
  if (c.narrow) return;
  const Transformer plain(model->config(), merged, Compute{});
  expect_close(logits(plain, c.tokens()), c.expected("logits_merged"), 0, 1e-4, "merged");
}

/// Position i of a row is predicted by what encode() says of it: shifted where the model is.
void check_gradients(const path& folder) {
  const Case c(folder);
  const auto model = c.load(at::kFloat, Use::kTraining);
  const Tensor scored = c.golden.at("loss_mask").to(at::kBool);
  const Rows rows{scored.flatten().nonzero().squeeze(1), to_vector<int64_t>(scored.sum(1))};
  const Tensor loss = -log_prob(model->encode(c.tokens(), rows), model->head(),
                                c.golden.at("labels").masked_select(scored))
                           .mean();
  expect_close(loss.item<double>(), c.golden.at("loss").item<double>(), 1e-5, 0, "loss");
  loss.backward();
  const TensorMap trained = model->trainable();
  size_t gradients = 0;
  const std::string begin = "grad.base_model.model.";
  for (const auto& [name, tensor] : c.golden) {
    if (!name.starts_with("grad.")) continue;
    ASSERT_TRUE(name.starts_with(begin)) << name;
    const Tensor got = trained.at(name.substr(begin.size())).grad();
    ASSERT_TRUE(got.defined()) << name;
    EXPECT_LE((got - tensor).norm().item<double>(), 1e-3 * tensor.norm().item<double>()) << name;
    ++gradients;
  }
  EXPECT_EQ(gradients, trained.size());
}

/// What is written is what was read: the same names, bits and config.
void check_round_trip(const path& folder) {
  const Case c(folder);
  const auto model = c.load(at::kFloat, Use::kInference);
  const path out = path(testing::TempDir()) / ("lora_" + folder.filename().string());
  std::filesystem::remove_all(out);
  std::filesystem::create_directory(out);
  write_peft(out, model->adapter());
  const TensorMap before = read_safetensors(folder / "adapter_model.safetensors"),
                  after = read_safetensors(out / "adapter_model.safetensors");
  ASSERT_EQ(before.size(), after.size());
  for (const auto& [name, tensor] : before)
    EXPECT_TRUE(tensor.to(at::kFloat).equal(after.at(name))) << name;
  EXPECT_EQ(read_json(out / "adapter_config.json"), read_json(folder / "adapter_config.json"));
}

void add_adapter(const path& folder) {
  const json info = read_json(folder / "case.json");
  const std::string name = folder.filename().string();
  add_test("Lora", name + "/modules", [=] { check_modules(folder); });
  add_test("Lora", name + "/logits", [=] { check_logits(folder); });
  add_test("Lora", name + "/merged", [=] { check_merged(folder); });
  add_test("Lora", name + "/round_trip", [=] { check_round_trip(folder); });
  if (info.value("gradients", false))
    add_test("Lora", name + "/gradients", [=] { check_gradients(folder); });
}

}  // namespace

void add_lora(const path& folder) {
  std::vector<path> cases;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    if (std::filesystem::exists(entry.path() / "case.json")) cases.push_back(entry);
  std::sort(cases.begin(), cases.end());
  check(!cases.empty(), "no adapters.");
  for (const path& from : cases) add_all(from, add_adapter);
}

}  // namespace gdsd::golden
