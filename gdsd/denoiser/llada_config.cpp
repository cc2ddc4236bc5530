#include "gdsd/denoiser/llada_config.h"

#include <nlohmann/json.hpp>

#include "gdsd/base/file.h"

namespace gdsd {

namespace {

using nlohmann::json;

/// What every released LLaDA says besides its sizes.
json released_keys() {
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

/// Keys that say nothing about the function computed, written for the authors' Python classes.
json python_keys() {
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

template <class T>
T get(const json& file, const std::string& key, const std::string& where) {
  check(file.contains(key), where, ": key '", key, "' is missing.");
  const json& value = file[key];
  const bool fits = std::same_as<T, bool> ? value.is_boolean()
                    : std::integral<T>    ? value.is_number_integer()
                                          : value.is_number();
  check(fits, where, ": key '", key, "' got ", value.dump(), ", expected ",
        fields_detail::type_name<T>(), ".");
  return value.get<T>();
}

}  // namespace

void LladaConfig::validate() const {
  for (auto [name, value] : {std::pair{"d_model", d_model},
                             {"n_layers", n_layers},
                             {"n_heads", n_heads},
                             {"n_kv_heads", n_kv_heads},
                             {"mlp_hidden_size", mlp_hidden_size},
                             {"max_sequence_length", max_sequence_length}})
    check_field(value > 0, name, "must be positive, got ", value, ".");
  check_field(d_model % n_heads == 0, "n_heads", n_heads, " does not divide d_model ", d_model,
              ".");
  check_field(head_width() % 2 == 0, "n_heads",
              "d_model / n_heads must be even for the rotary "
              "positions, got ",
              head_width(), ".");
  check_field(n_heads % n_kv_heads == 0, "n_kv_heads", n_kv_heads, " does not divide n_heads ",
              n_heads, ".");
  check_field(rope_theta > 0, "rope_theta", "must be positive, got ", rope_theta, ".");
  check_field(rms_norm_eps > 0, "rms_norm_eps", "must be positive, got ", rms_norm_eps, ".");
}

LladaFolder read_llada_config(const std::filesystem::path& folder) {
  const auto path = folder / "config.json";
  const std::string where = "[model] " + path.string();
  check(std::filesystem::exists(path), where,
        ": no such file. A model is a Hugging Face folder "
        "with config.json and model.safetensors.");
  json file = json::parse(read_file(path), nullptr, /*allow_exceptions=*/false);
  check(file.is_object(), where, ": not a JSON object.");
  const json released = released_keys();
  for (const auto& [key, value] : released.items()) {
    check(file.contains(key), where, ": key '", key, "' is missing, expected ", value.dump(), ".");
    check(file[key] == value, where, ": ", key, " is ", file[key].dump(), ", expected ",
          value.dump(), ": the only kind of model this program knows.");
  }
  if (file.contains("n_kv_heads") && file["n_kv_heads"].is_null())
    file["n_kv_heads"] = file["n_heads"];

  if (file.contains("mlp_hidden_size") && file["mlp_hidden_size"].is_null())
    file["mlp_hidden_size"] =
        get<int64_t>(file, "mlp_ratio", where) * get<int64_t>(file, "d_model", where);

  LladaFolder out;
  for_each_leaf(out.config, [&]<class T>(const std::string& name, T& value, std::string_view) {
    value = get<T>(file, name, where);
  });
  try {
    out.config.validate();
  } catch (const FieldError& e) {
    throw Error(where + ": " + e.what());
  }
  const bool padded = file.contains("embedding_size") && !file["embedding_size"].is_null();
  out.vocabulary = {.size = get<int64_t>(file, padded ? "embedding_size" : "vocab_size", where),
                    .mask_id = get<int64_t>(file, "mask_token_id", where),
                    .eos_id = get<int64_t>(file, "eos_token_id", where),
                    .pad_id = get<int64_t>(file, "pad_token_id", where)};
  for (int64_t id : {out.vocabulary.mask_id, out.vocabulary.eos_id, out.vocabulary.pad_id})
    check(id >= 0 && id < out.vocabulary.size, where, ": token id ", id, " is outside 0 … ",
          out.vocabulary.size - 1, ".");
  return out;
}

std::string llada_config_json(const LladaConfig& config, const Vocabulary& vocabulary) {
  json file = released_keys();
  file.update(python_keys());
  LladaConfig copy = config;
  for_each_leaf(
      copy, [&](const std::string& name, auto& value, std::string_view) { file[name] = value; });
  file["vocab_size"] = file["embedding_size"] = vocabulary.size;
  file["mask_token_id"] = vocabulary.mask_id;
  file["eos_token_id"] = vocabulary.eos_id;
  file["pad_token_id"] = vocabulary.pad_id;
  return file.dump(2) + "\n";
}

}  // namespace gdsd
