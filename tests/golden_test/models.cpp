// models/: checkpoints whose logits and gradients the released remote code computed, and files that
// the reference reader of safetensors accepts or refuses.
#include "gdsd/denoiser/model.h"
#include "gdsd/tensor/vocabulary_head.h"
#include "tests/golden_test/golden.h"

namespace gdsd::golden {
namespace {

/// A model of the folder `from`, and what its cases.json and golden.safetensors say.
struct Folder {
  path from;
  json info;
  TensorMap golden;
  explicit Folder(const path& folder)
      : from(folder),
        info(read_json(folder / "cases.json")),
        golden(read_safetensors(folder / "golden.safetensors")) {}

  double tolerance() const { return info.at("tolerance_fp32_max_abs"); }
  path checkpoint() const {
    const json& name = info.at("checkpoint");
    return name.is_null() ? from : from / name.get<std::string>();
  }
};

/// models/README: a hash of the flat index, the k-th name in byte order.
Tensor formula_tensor(const std::string& name, uint32_t k, const std::vector<int64_t>& shape) {
  Tensor w = at::empty(shape, at::kFloat);
  const bool norm = name.ends_with("norm.weight") || name.ends_with("ln_f.weight");
  float* data = w.data_ptr<float>();
  for (int64_t i = 0; i < w.numel(); ++i) {
    uint32_t h = static_cast<uint32_t>(i) * 2654435761u + k * 40503u + 12345u;
    h ^= h >> 15;
    h *= 2246822519u;
    h ^= h >> 13;
    const double u = (h >> 8) * 0x1p-24 - 0.5;
    data[i] = static_cast<float>(norm ? 1 + u * 0.2 : u);
  }
  return w;
}

std::unique_ptr<Transformer> load(const Folder& folder, at::ScalarType dtype, Use use) {
  if (!folder.info.at("checkpoint").is_null())
    return load_denoiser(folder.checkpoint(), {at::kCPU, dtype}, use);
  check(folder.info.at("weights") == "formula", "unknown kind of weights.");
  ModelConfig config = read_model_config(folder.from);
  TensorMap parameters;
  uint32_t k = 0;
  for (const auto& [name, shape] : tensor_shapes(config.architecture))
    parameters[name] = formula_tensor(name, k++, shape);
  return std::make_unique<Transformer>(std::move(config), std::move(parameters),
                                       Compute{.dtype = dtype});
}

Tensor states(const Transformer& model, const Packed& x) {
  return model.states(x, {at::arange(x.tokens.size(0), at::kLong), x.lengths});  // [N, D]
}
Tensor logits(const Transformer& model, const Packed& x) {
  return states(model, x).matmul(model.head().t());  // [N, V], not shifted
}
Packed rows_of(const Tensor& tokens) {  // [B, L]
  return {tokens.flatten(), std::vector<int64_t>(tokens.size(0), tokens.size(1))};
}

/// The input of every layer, and the states after the final norm: expected [layers + 1, N, d]. What
/// goes into layer k is what a model of the first k layers ends with, before its final norm.
void check_layers(const Folder& folder, const Transformer& model, const Packed& x,
                  const Tensor& expected) {
  const Architecture& whole = model.architecture();
  ASSERT_EQ(expected.size(0), whole.layers + 1);
  const Tensor embedding = model.parameters().at(part_name(whole, Part::kEmbedding) + ".weight"),
               norm = model.parameters().at(part_name(whole, Part::kFinalNorm) + ".weight");
  expect_close(embedding.index_select(0, x.tokens), expected[0], 0, folder.tolerance(), "layer 0");
  for (int64_t k = 1; k < whole.layers; ++k) {
    ModelConfig config = model.config();
    config.architecture.layers = k;
    TensorMap parameters;
    for (const auto& [name, shape] : tensor_shapes(config.architecture))
      parameters[name] = model.parameters().at(name);
    const Transformer first(std::move(config), std::move(parameters), Compute{});
    expect_close(states(first, x), rms_norm(expected[k], norm, whole.norm_epsilon), 0,
                 folder.tolerance(), concat("layer ", k));
  }
  expect_close(states(model, x), expected[-1], 0, folder.tolerance(), "after the final norm");
}

void check_plain(const Folder& folder, const std::string& name) {
  const auto model = load(folder, at::kFloat, Use::kInference);
  const Packed x = rows_of(folder.golden.at(name + ".input_ids"));
  const Tensor expected = folder.golden.at(name + ".logits").flatten(0, 1);
  expect_close(logits(*model, x), expected, 0, folder.tolerance(), "logits");
  const auto hidden = folder.golden.find(name + ".hidden_states");
  if (hidden != folder.golden.end()) check_layers(folder, *model, x, hidden->second.flatten(1, 2));
}

/// Padding on the left behind a mask is no padding to a model of relative positions: the kept
/// tokens of every row, packed end to end, must have the same logits.
void check_padded(const Folder& folder, const std::string& name) {
  const auto model = load(folder, at::kFloat, Use::kInference);
  const Tensor ids = folder.golden.at(name + ".input_ids");
  const Tensor kept = folder.golden.at(name + ".attention_mask").to(at::kBool);
  const Packed x{ids.masked_select(kept), to_vector<int64_t>(kept.sum(1))};
  const Tensor expected = folder.golden.at(name + ".logits")
                              .flatten(0, 1)
                              .index_select(0, kept.flatten().nonzero().squeeze(1));
  expect_close(logits(*model, x), expected, 0, folder.tolerance(), "kept positions");
  const auto ignored = folder.golden.find(name + ".logits_mask_ignored");
  if (ignored != folder.golden.end())  // the older remote code: pads are tokens like any other
    expect_close(logits(*model, rows_of(ids)), ignored->second.flatten(0, 1), 0, folder.tolerance(),
                 "mask ignored");
}

/// No further from float32 than the reference's own bfloat16: in the mean over all logits, to a
/// tenth that two ways of rounding differ by. The largest error is one draw of many, and varies
/// more.
void check_bf16(const Folder& folder, const std::string& name) {
  const Packed x = rows_of(folder.golden.at(name + ".input_ids"));
  const Tensor expected = folder.golden.at(name + ".logits_fp32").flatten(0, 1);
  expect_close(logits(*load(folder, at::kFloat, Use::kInference), x), expected, 0,
               folder.tolerance(), "in float32");
  const Tensor narrow = logits(*load(folder, at::kBFloat16, Use::kInference), x).to(at::kFloat);
  expect_close(narrow, expected, 0, 2 * folder.info.at("bf16_vs_fp32_max_abs").get<double>(),
               "in bfloat16");
  EXPECT_LE((narrow - expected).abs().mean().item<double>(),
            1.1 * folder.info.at("bf16_vs_fp32_mean_abs").get<double>());
}

void check_full_gradient(const Folder& folder) {
  const TensorMap golden = read_safetensors(folder.from / "full_grad.safetensors");
  const auto model = load(folder, at::kFloat, Use::kTraining);
  const Packed x = rows_of(golden.at("input_ids"));
  const Tensor scored = golden.at("loss_mask").to(at::kBool);
  const Rows rows{scored.flatten().nonzero().squeeze(1), to_vector<int64_t>(scored.sum(1))};
  const Tensor target = golden.at("labels").masked_select(scored);
  const Tensor loss = -log_prob(model->encode(x, rows), model->head(), target).mean();
  expect_close(loss.item<double>(), golden.at("loss").item<double>(), 1e-5, 0, "loss");
  loss.backward();
  size_t gradients = 0;
  for (const auto& [name, tensor] : golden) {
    if (!name.starts_with("grad.")) continue;
    const Tensor got = model->parameters().at(name.substr(5)).grad();
    ASSERT_TRUE(got.defined()) << name;
    EXPECT_LE((got - tensor).norm().item<double>(), 1e-3 * tensor.norm().item<double>()) << name;
    ++gradients;
  }
  EXPECT_EQ(gradients, model->parameters().size());
}

void check_file(const json& fixture, const path& file) {
  if (!fixture.at("accepted").get<bool>()) {
    try {
      read_safetensors(file);
      FAIL() << "accepted, but the reference says: " << fixture.at("message");
    } catch (const Error& e) {
      EXPECT_NE(std::string(e.what()).find(file.string()), std::string::npos) << e.what();
    }
    return;
  }
  std::map<std::string, std::string> metadata;
  const TensorMap tensors = read_safetensors(file, &metadata);
  const std::map<std::string, at::ScalarType> types{
      {"F64", at::kDouble}, {"F32", at::kFloat}, {"F16", at::kHalf},  {"BF16", at::kBFloat16},
      {"I64", at::kLong},   {"I32", at::kInt},   {"I16", at::kShort}, {"I8", at::kChar},
      {"U8", at::kByte},    {"BOOL", at::kBool}};
  EXPECT_EQ(tensors.size(), fixture.at("tensors").size());
  for (const auto& [name, about] : fixture.at("tensors").items()) {
    ASSERT_TRUE(tensors.contains(name)) << name;
    EXPECT_EQ(tensors.at(name).scalar_type(), types.at(about.at("dtype"))) << name;
    EXPECT_EQ(tensors.at(name).sizes().vec(), about.at("shape").get<std::vector<int64_t>>())
        << name;
  }
  if (fixture.contains("metadata") && !fixture.at("metadata").is_null()) {
    EXPECT_EQ(json(metadata), fixture.at("metadata"));
  }
}

void add_model(const path& folder) {
  const std::string model = folder.filename().string();
  const Folder about(folder);
  for (const json& fixture : about.info.at("cases")) {
    const std::string name = fixture.at("name"), kind = fixture.at("kind");
    const std::map<std::string, void (*)(const Folder&, const std::string&)> checks{
        {"plain", check_plain}, {"padded", check_padded}, {"bf16", check_bf16}};
    const std::string test = model + "/" + name + "/" + kind;
    if (checks.contains(kind))
      add_test("Model", test, [=] { checks.at(kind)(Folder(folder), name); });
    else
      add_skip("Model", test, "kind " + kind);
  }
  if (!std::filesystem::exists(folder / "full_grad.safetensors")) return;
  add_test("Model", model + "/full_grad", [=] { check_full_gradient(Folder(folder)); });
}

void add_files(const path& folder) {
  const json cases = read_json(folder / "cases.json").at("cases");
  check(!cases.empty(), "no cases.");
  for (const json& fixture : cases) {
    const std::string file = fixture.at("file");
    add_test("Safetensors", file, [=] { check_file(fixture, folder / file); });
  }
}

}  // namespace

void add_models(const path& folder) {
  std::vector<path> models;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) models.push_back(entry);
  std::sort(models.begin(), models.end());
  check(!models.empty(), "no models.");
  for (const path& model : models) {
    if (!std::filesystem::exists(model / "cases.json")) continue;  // a tokenizer alone
    add_all(model, model.filename() == "safetensors_format" ? add_files : add_model);
  }
}

}  // namespace gdsd::golden
