#include "gdsd/denoiser/model_config.h"

#include "gdsd/base/file.h"
#include "gdsd/base/json.h"
#include "gdsd/text/python_files.h"

namespace gdsd {

namespace {

using nlohmann::json;

/// What every released LLaDA says besides its sizes.
json fixed_keys(const LladaConfig&) {
  return {{"architectures", {"LLaDAModelLM"}},
          {"model_type", "llada"},
          {"activation_type", "silu"},
          {"alibi", false},
          {"attention_dropout", 0.0},
          {"attention_layer_norm", false},
          {"attention_layer_norm_with_affine", true},
          {"bias_for_layer_norm", false},
          {"block_group_size", 1},
          {"block_type", "llama"},
          {"embedding_dropout", 0.0},
          {"include_bias", false},
          {"include_qkv_bias", false},
          {"input_emb_norm", false},
          {"layer_norm_type", "rms"},
          {"layer_norm_with_affine", true},
          {"multi_query_attention", nullptr},
          {"residual_dropout", 0.0},
          {"rope", true},
          {"rope_full_precision", true},
          {"scale_logits", false}};
}

/// The same for Dream, whose class leaves less open.
json fixed_keys(const DreamConfig&) {
  return {{"architectures", {"DreamModel"}}, {"model_type", "Dream"},
          {"attention_dropout", 0.0},        {"hidden_act", "silu"},
          {"rope_scaling", nullptr},         {"use_mrope", false},
          {"use_sliding_window", false}};
}

/// Keys that say nothing about the function computed, written for the authors' Python classes.
json python_keys(const LladaConfig&) {
  return {{"alibi_bias_max", 8.0},
          {"auto_map",
           {{"AutoConfig", "configuration_llada.LLaDAConfig"},
            {"AutoModel", "modeling_llada.LLaDAModelLM"},
            {"AutoModelForCausalLM", "modeling_llada.LLaDAModelLM"}}},
          {"flash_attention", false},
          {"init_cutoff_factor", nullptr},
          {"init_device", "cpu"},
          {"init_fn", "mitchell"},
          {"init_std", 0.02},
          {"mlp_ratio", 4},
          {"precision", "amp_bf16"},
          {"transformers_version", "4.46.3"},
          {"use_cache", false}};
}
json python_keys(const DreamConfig& c) {
  return {{"auto_map",
           {{"AutoConfig", "configuration_dream.DreamConfig"},
            {"AutoModel", "modeling_dream.DreamModel"}}},
          {"bos_token_id", 0},
          {"initializer_range", 0.02},
          {"max_window_layers", c.num_hidden_layers},
          {"sliding_window", nullptr},
          {"torch_dtype", "float32"},
          {"transformers_version", "4.46.2"},
          {"use_cache", false}};
}

template <class T>
T get(const json& file, const std::string& key, const std::string& where) {
  check(file.contains(key), where, ": key '", key, "' is missing.");
  const json& value = file[key];
  const bool fits = std::same_as<T, bool> ? value.is_boolean()
                    : std::integral<T>    ? value.is_number_integer()
                                          : value.is_number();
  check(fits, where, ": key '", key, "' got ", value.dump(), ", expected ", type_name<T>(), ".");
  return value.get<T>();
}

// Sizes beyond these are no model: products of them must not overflow.
constexpr int64_t kMaxSize = int64_t{1} << 24, kMaxLayers = 4096;

void check_layers(const char* name, int64_t layers) {
  check_field(layers > 0 && layers <= kMaxLayers, name, "must be positive and at most ", kMaxLayers,
              ", got ", layers, ".");
}

void check_sizes(std::initializer_list<std::pair<const char*, int64_t>> sizes) {
  for (auto [name, value] : sizes)
    check_field(value > 0 && value <= kMaxSize, name, "must be positive and at most ", kMaxSize,
                ", got ", value, ".");
}

void check_heads(const char* name, int64_t heads, const char* kv_name, int64_t kv_heads,
                 const char* width_name, int64_t width) {
  check_field(width % heads == 0, name, heads, " does not divide ", width_name, " ", width, ".");
  check_field(width / heads % 2 == 0, name, width_name, " / ", name,
              " must be even for the rotary positions, got ", width / heads, ".");
  check_field(heads % kv_heads == 0, kv_name, kv_heads, " does not divide ", name, " ", heads, ".");
}

void check_numbers(double rope_theta, double rms_norm_eps) {
  check_field(rope_theta > 0, "rope_theta", "must be positive, got ", rope_theta, ".");
  check_field(rms_norm_eps > 0, "rms_norm_eps", "must be positive, got ", rms_norm_eps, ".");
}

Architecture architecture(const LladaConfig& c, int64_t V) {
  return {.family = Family::kLlada,
          .vocabulary = V,
          .width = c.d_model,
          .layers = c.n_layers,
          .heads = c.n_heads,
          .kv_heads = c.n_kv_heads,
          .mlp_width = c.mlp_hidden_size,
          .max_length = c.max_sequence_length,
          .rope_theta = c.rope_theta,
          .norm_epsilon = c.rms_norm_eps,
          .tied_head = c.weight_tying};
}

Architecture architecture(const DreamConfig& c, int64_t V) {
  return {.family = Family::kDream,
          .vocabulary = V,
          .width = c.hidden_size,
          .layers = c.num_hidden_layers,
          .heads = c.num_attention_heads,
          .kv_heads = c.num_key_value_heads,
          .mlp_width = c.intermediate_size,
          .max_length = c.max_position_embeddings,
          .rope_theta = c.rope_theta,
          .norm_epsilon = c.rms_norm_eps,
          .tied_head = c.tie_word_embeddings,
          .qkv_bias = true,
          .wide_rope = false,
          .shifted = true};
}

/// LLaDA's class gives these a meaning when they are null.
void settle_nulls(json& file, const LladaConfig&, const std::string& where) {
  auto is_null = [&](const char* key) { return file.contains(key) && file[key].is_null(); };
  if (is_null("n_kv_heads")) file["n_kv_heads"] = get<int64_t>(file, "n_heads", where);
  if (is_null("mlp_hidden_size")) {
    const auto ratio = get<int64_t>(file, "mlp_ratio", where),
               width = get<int64_t>(file, "d_model", where);
    for (int64_t factor : {ratio, width})
      check(factor > 0 && factor <= kMaxSize, where, ": mlp_ratio ", ratio, " times d_model ",
            width, " is no width of a model.");
    file["mlp_hidden_size"] = ratio * width;
  }
  if (is_null("embedding_size")) file["embedding_size"] = get<int64_t>(file, "vocab_size", where);
}
void settle_nulls(json&, const DreamConfig&, const std::string&) {}

/// Of the keys for Python, those that released models leave out or whose absence says nothing.
bool is_optional(std::string_view key) {
  return key == "auto_map" || key == "transformers_version" || key == "torch_dtype";
}

/// The key that says how many rows the head has.
const char* rows_key(const LladaConfig&) { return "embedding_size"; }
const char* rows_key(const DreamConfig&) { return "vocab_size"; }

template <class Config>
ModelConfig parse(json file, const std::string& where) {
  Config config;
  const json fixed = fixed_keys(config);
  for (const auto& [key, value] : fixed.items()) {
    check(file.contains(key), where, ": key '", key, "' is missing, expected ", value.dump(), ".");
    check(file[key] == value, where, ": ", key, " is ", file[key].dump(), ", expected ",
          value.dump(), ": the only kind of model this program knows.");
  }
  settle_nulls(file, config, where);
  for_each_leaf(config, [&]<class T>(const std::string& name, T& value, std::string_view) {
    value = get<T>(file, name, where);
  });
  const auto V = get<int64_t>(file, rows_key(config), where);
  const auto used = get<int64_t>(file, "vocab_size", where);
  check(used <= V, where, ": vocab_size ", used, " is more than ", rows_key(config), " ", V, ".");
  const json python = python_keys(config);
  for (const auto& [key, value] : python.items())
    check(file.contains(key) || is_optional(key), where, ": key '", key, "' is missing.");
  try {
    config.validate();
    check_sizes({{rows_key(config), V}});
  } catch (const FieldError& e) {
    throw Error(where + ": " + e.what());
  }
  ModelConfig out{.architecture = architecture(config, V), .vocabulary = {.size = V}, .json = {}};
  for (auto [key, id] : {std::pair{"mask_token_id", &out.vocabulary.mask_id},
                         {"eos_token_id", &out.vocabulary.eos_id},
                         {"pad_token_id", &out.vocabulary.pad_id}}) {
    *id = get<int64_t>(file, key, where);
    check(*id >= 0 && *id < V, where, ": ", key, " ", *id, " is outside 0 … ", V - 1, ".");
  }
  return out;
}

}  // namespace

void LladaConfig::validate() const {
  check_sizes({{"d_model", d_model},
               {"n_heads", n_heads},
               {"n_kv_heads", n_kv_heads},
               {"mlp_hidden_size", mlp_hidden_size},
               {"max_sequence_length", max_sequence_length}});
  check_layers("n_layers", n_layers);
  check_heads("n_heads", n_heads, "n_kv_heads", n_kv_heads, "d_model", d_model);
  check_numbers(rope_theta, rms_norm_eps);
}

void DreamConfig::validate() const {
  check_sizes({{"hidden_size", hidden_size},
               {"num_attention_heads", num_attention_heads},
               {"num_key_value_heads", num_key_value_heads},
               {"intermediate_size", intermediate_size},
               {"max_position_embeddings", max_position_embeddings}});
  check_layers("num_hidden_layers", num_hidden_layers);
  check_heads("num_attention_heads", num_attention_heads, "num_key_value_heads",
              num_key_value_heads, "hidden_size", hidden_size);
  check_numbers(rope_theta, rms_norm_eps);
}

ModelConfig parse_model_config(const std::string& text, const std::string& where) {
  const json file = parse_json_object(text, where);
  check(file.contains("architectures"), where,
        ": key 'architectures' is missing, expected [\"LLaDAModelLM\"] or [\"DreamModel\"].");
  ModelConfig out;
  if (file["architectures"] == json::array({"DreamModel"})) {
    out = parse<DreamConfig>(file, where);
  } else {
    check(file["architectures"] == json::array({"LLaDAModelLM"}), where, ": architectures is ",
          file["architectures"].dump(), ", expected [\"LLaDAModelLM\"] or [\"DreamModel\"].");
    out = parse<LladaConfig>(file, where);
  }
  out.json = text;
  return out;
}

ModelConfig read_model_config(const std::filesystem::path& folder) {
  const auto path = folder / "config.json";
  const std::string where = "[model] " + path.string();
  std::error_code unreadable;  // for which reading the file has the reason
  if (!std::filesystem::exists(path, unreadable) && !unreadable) {
    const auto latest = folder / "latest";
    const bool is_run = std::filesystem::exists(latest, unreadable);
    throw Error(concat(where, ": no such file. ",
                       is_run ? concat("This is a run: did you mean ", latest.string(), "?")
                              : "A model is a Hugging Face folder with config.json and "
                                "model.safetensors."));
  }
  ModelConfig out = parse_model_config(read_file(path), where);
  out.companions = read_python_files(folder, parse_json(out.json).value("auto_map", json()));
  const std::string generation = "generation_config.json";
  if (std::filesystem::exists(folder / generation))
    out.companions[generation] = read_file(folder / generation);
  return out;
}

ModelConfig make_model_config(const ArchitectureOptions& options, const Vocabulary& vocabulary) {
  return std::visit(
      [&](auto config) {
        json file = fixed_keys(config);
        file.update(python_keys(config));
        for_each_leaf(config, [&](const std::string& name, auto& value, std::string_view) {
          file[name] = value;
        });
        file["vocab_size"] = file[rows_key(config)] = vocabulary.size;
        file["mask_token_id"] = vocabulary.mask_id;
        file["eos_token_id"] = vocabulary.eos_id;
        file["pad_token_id"] = vocabulary.pad_id;
        if (file.contains("bos_token_id")) file["bos_token_id"] = vocabulary.eos_id;  // as Dream's
        return ModelConfig{
            architecture(config, vocabulary.size), vocabulary, file.dump(2) + "\n", {}};
      },
      options);
}

}  // namespace gdsd
