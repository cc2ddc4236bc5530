#include "gdsd/denoiser/peft.h"

#include <cmath>

#include "gdsd/base/file.h"
#include "gdsd/base/json.h"
#include "gdsd/base/regex.h"

namespace gdsd {

namespace {

using json = nlohmann::ordered_json;  // the first pattern that matches counts
using std::filesystem::path;

constexpr const char* kConfig = "adapter_config.json";
constexpr const char* kWeights = "adapter_model.safetensors";
constexpr std::string_view kPrefix = "base_model.model.";

json read_config(const path& folder) {
  const path file = folder / kConfig;
  return parse_json_object<json>(read_file(file), "[adapter] " + file.string());
}

/// adapter_config.json, asked what PEFT would do with it.
class PeftConfig {
 public:
  explicit PeftConfig(const path& folder)
      : where_("[adapter] " + (folder / kConfig).string()), file_(read_config(folder)) {
    refuse_unknown();
  }

  /// Whether matrix `name` of layer `layer` is adapted.
  bool adapts(const std::string& name, int64_t layer) const;
  int64_t rank(const std::string& name) const {
    const double r = number("rank_pattern", name, "r", 8);
    check(r == std::floor(r) && r < 1e6, where_, ": the rank of ", name, " is ", r,
          ", expected an integer.");
    return static_cast<int64_t>(r);
  }
  double scale(const std::string& name) const {
    const auto r = static_cast<double>(rank(name));
    const json rslora = value("use_rslora");
    return number("alpha_pattern", name, "lora_alpha", 8) / (rslora == true ? std::sqrt(r) : r);
  }

 private:
  json value(const char* key) const { return file_.contains(key) ? file_[key] : json(); }
  std::string text(const char* key, const json& got) const {
    check(got.is_string(), where_, ": ", key, " is ", got.dump(), ", expected text.");
    return got.get<std::string>();
  }
  void refuse_unknown() const;
  bool listed(const char* key, const std::string& name) const;
  bool in_layers(const std::string& name, int64_t layer) const;
  double number(const char* patterns, const std::string& name, const char* key,
                double otherwise) const;

  std::string where_;
  json file_;
};

/// Everything that would make the adapter another function than s B A added to some matrices.
void PeftConfig::refuse_unknown() const {
  check(value("peft_type") == "LORA", where_, ": peft_type is ", value("peft_type").dump(),
        ", expected \"LORA\".");
  const json bias = value("bias"), init = value("init_lora_weights");
  check(bias.is_null() || bias == "none", where_, ": bias is ", bias.dump(),
        ", expected \"none\": biases are not adapted.");
  // The others change the base model, or stand for weights that were drawn in another way.
  check(!init.is_string() || init == "gaussian" || init == "orthogonal" || init == "eva", where_,
        ": init_lora_weights is ", init.dump(),
        ", which changes the base model: convert the adapter to plain LoRA.");
  for (const char* key :
       {"use_dora", "lora_bias", "fan_in_fan_out", "use_qalora", "modules_to_save",
        "layer_replication", "trainable_token_indices", "target_parameters", "megatron_config",
        "alora_invocation_tokens", "arrow_config"}) {
    const json got = value(key);
    const bool off = got.is_null() || got == false || (got.is_structured() && got.empty());
    check(off, where_, ": ", key, " is ", got.dump(), ": this program does not know how.");
  }
  check(!value("target_modules").is_string() || value("layers_to_transform").is_null(), where_,
        ": layers_to_transform goes with a list of target_modules, not with a pattern.");
}

/// Whether `name` is in a key that is a pattern or a list of names and their ends.
bool PeftConfig::listed(const char* key, const std::string& name) const {
  const json got = value(key);
  if (got.is_null()) return false;
  if (got.is_string()) return full_match(got.get<std::string>(), name, where_ + ": " + key);
  check(got.is_array(), where_, ": ", key, " is ", got.dump(), ", expected a list or a pattern.");
  for (const json& entry : got) {
    const std::string end = text(key, entry);
    if (name == end || name.ends_with("." + end)) return true;
  }
  return false;
}

bool PeftConfig::in_layers(const std::string& name, int64_t layer) const {
  const json layers = value("layers_to_transform"), pattern = value("layers_pattern");
  if (layers.is_null() || (layers.is_array() && layers.empty())) return true;
  const json wanted = layers.is_array() ? layers : json::array({layers});
  if (std::find(wanted.begin(), wanted.end(), json(layer)) == wanted.end()) return false;
  if (pattern.is_null() || pattern.empty() || pattern == "") return true;
  const json patterns = pattern.is_array() ? pattern : json::array({pattern});
  return std::any_of(patterns.begin(), patterns.end(), [&](const json& p) {
    return full_match(".*\\." + text("layers_pattern", p) + "\\.\\d+\\..*", name,
                      where_ + ": layers_pattern");
  });
}

bool PeftConfig::adapts(const std::string& name, int64_t layer) const {
  if (listed("exclude_modules", name)) return false;
  if (value("target_modules") == "all-linear") return true;
  return listed("target_modules", name) && in_layers(name, layer);
}

double PeftConfig::number(const char* patterns, const std::string& name, const char* key,
                          double otherwise) const {
  json got = file_.contains(key) ? file_[key] : json(otherwise);
  std::string from = key;
  const json table = value(patterns);
  check(table.is_null() || table.is_object(), where_, ": ", patterns, " is ", table.dump(),
        ", expected an object.");
  for (const auto& [pattern, number] : table.items()) {
    if (!full_match("(.*\\.)?(" + pattern + ")", name, where_ + ": " + patterns)) continue;
    got = number;
    from = concat(patterns, " '", pattern, "'");
    break;
  }
  check(got.is_number() && got.get<double>() > 0, where_, ": ", from, " is ", got.dump(),
        ", expected a positive number.");
  return got.get<double>();
}

/// "base_model.model.<matrix>.lora_A.weight" → matrix and 'A'; the letter is 0 for any other name.
std::pair<std::string, char> parse_name(std::string_view name) {
  constexpr std::string_view end = ".lora_A.weight";
  if (!name.starts_with(kPrefix) || name.size() <= kPrefix.size() + end.size()) return {"", 0};
  const std::string matrix(name.substr(kPrefix.size(), name.size() - kPrefix.size() - end.size()));
  if (name.ends_with(".lora_A.weight")) return {matrix, 'A'};
  if (name.ends_with(".lora_B.weight")) return {matrix, 'B'};
  return {"", 0};
}

}  // namespace

bool is_peft_folder(const path& folder) { return std::filesystem::exists(folder / kConfig); }

path peft_base(const path& folder) {
  const std::string where = "[adapter] " + (folder / kConfig).string();
  const json config = read_config(folder);
  check(config.contains("base_model_name_or_path") && config["base_model_name_or_path"].is_string(),
        where, ": base_model_name_or_path is missing.");
  const auto base = config["base_model_name_or_path"].get<std::string>();
  for (const path& place : {path(base), folder / base})
    if (std::filesystem::exists(place / "config.json")) return place;
  throw Error(concat(where, ": the base model '", base,
                     "' is no folder here. Give the base as the model and this folder as "
                     "lora.from."));
}

Adapter read_peft(const path& folder, const Architecture& architecture, at::Device device) {
  const path file = folder / kWeights;
  check(std::filesystem::exists(file), "[adapter] ", file.string(),
        ": no such file. An adapter is a folder with adapter_config.json and "
        "adapter_model.safetensors; files of pickles (.bin) are not read.");
  const PeftConfig config(folder);
  TensorMap tensors = read_safetensors(file);
  Adapter adapter{.modules = {}, .json = read_file(folder / kConfig)};
  std::string faults;
  for (auto& [name, tensor] : tensors) {
    const auto [matrix, letter] = parse_name(name);
    if (letter == 0 || !tensor.is_floating_point() || tensor.dim() != 2) {
      faults += concat("\n  '", name, "' is no half of an adapter to a matrix");
      continue;
    }
    LowRank& part = adapter.modules[matrix];
    (letter == 'A' ? part.A : part.B) =
        tensor.to(device, at::kFloat, /*non_blocking=*/false, /*copy=*/true);
  }
  std::set<std::string> expected;
  for (int64_t i = 0; i < architecture.layers; ++i) {
    for (Role role : kRoles) {
      const std::string name = matrix_name(architecture, i, role);
      if (!config.adapts(name, i)) continue;
      expected.insert(name);
      const auto found = adapter.modules.find(name);
      if (found == adapter.modules.end() || !found->second.A.defined() ||
          !found->second.B.defined()) {
        faults += concat("\n  '", name, "' is adapted by the config, but its tensors are missing");
        continue;
      }
      LowRank& part = found->second;
      const auto [out, in] = matrix_shape(architecture, role);
      const int64_t r = config.rank(name);
      if (part.A.sizes() != at::IntArrayRef({r, in}) || part.B.sizes() != at::IntArrayRef({out, r}))
        faults += concat("\n  '", name, "' has A ", part.A.sizes(), " and B ", part.B.sizes(),
                         ", expected [", r, ", ", in, "] and [", out, ", ", r, "]");
      part.scale = config.scale(name);
    }
  }
  for (const auto& [name, part] : adapter.modules)
    if (!expected.contains(name))
      faults += concat("\n  '", name, "' has tensors, but is no matrix that the config adapts");
  check(faults.empty(), "[adapter] ", file.string(),
        ": the tensors are not those of its config and this model:", faults);
  check(!expected.empty(), "[adapter] ", folder.string(),
        ": its target_modules match no matrix of this model.");
  return adapter;
}

Adapter with_base(Adapter adapter, const path& base) {
  json config = parse_json<json>(adapter.json);
  config["base_model_name_or_path"] = std::filesystem::absolute(base).lexically_normal().string();
  adapter.json = config.dump(2) + "\n";
  return adapter;
}

void check_trainable(const Adapter& adapter, const path& folder) {
  const json config = parse_json<json>(adapter.json);
  const auto found = config.find("lora_dropout");
  const bool none = found == config.end() || found->is_null() || *found == 0.0;
  check(none, "[adapter] ", (folder / kConfig).string(), ": lora_dropout is ",
        none ? "" : found->dump(), ": this program trains without dropout. Set it to 0 to go on.");
}

void write_peft(const path& folder, const Adapter& adapter) {
  TensorMap tensors;
  for (const auto& [name, part] : adapter.modules) {
    const std::string begin = concat(kPrefix, name);
    tensors[begin + ".lora_A.weight"] = part.A;
    tensors[begin + ".lora_B.weight"] = part.B;
  }
  write_file(folder / kConfig, adapter.json);
  write_safetensors(folder / kWeights, tensors);
}

}  // namespace gdsd
