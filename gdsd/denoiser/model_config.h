// config.json: what a model is. The fields carry the names that the released files use.
#pragma once

#include <filesystem>
#include <string>
#include <variant>

#include "gdsd/base/fields.h"
#include "gdsd/denoiser/architecture.h"

namespace gdsd {

/// LLaDA's config.json (LLaDAModelLM). Everything else in that file must have the one value that
/// LLaDA was released with, or loading fails: its own defaults are GPT-2's.
struct LladaConfig {
  static constexpr const char* kName = "llada";

  int64_t d_model = 64;
  int64_t n_layers = 4;
  int64_t n_heads = 2;
  int64_t n_kv_heads = 2;
  int64_t mlp_hidden_size = 176;
  int64_t max_sequence_length = 128;
  double rope_theta = 500000.0;
  double rms_norm_eps = 1e-5;
  bool weight_tying = false;

  template <class F>
  void fields(F&& f) {
    f("d_model", d_model, "D: width of a hidden state");
    f("n_layers", n_layers, "transformer blocks");
    f("n_heads", n_heads, "H: attention heads");
    f("n_kv_heads", n_kv_heads, "heads of keys and values, shared by n_heads / n_kv_heads queries");
    f("mlp_hidden_size", mlp_hidden_size, "width inside the SwiGLU");
    f("max_sequence_length", max_sequence_length, "longest prompt and completion together");
    f("rope_theta", rope_theta, "base of the rotary position angles");
    f("rms_norm_eps", rms_norm_eps, "ε of every RMSNorm");
    f("weight_tying", weight_tying, "whether the head is the embedding");
  }
  void validate() const;
};

/// Dream's config.json (DreamModel; Dream-Coder and DiffuCoder share the class).
struct DreamConfig {
  static constexpr const char* kName = "dream";

  int64_t hidden_size = 64;
  int64_t num_hidden_layers = 4;
  int64_t num_attention_heads = 2;
  int64_t num_key_value_heads = 1;
  int64_t intermediate_size = 176;
  int64_t max_position_embeddings = 128;
  double rope_theta = 1000000.0;
  double rms_norm_eps = 1e-6;
  bool tie_word_embeddings = false;

  template <class F>
  void fields(F&& f) {
    f("hidden_size", hidden_size, "D: width of a hidden state");
    f("num_hidden_layers", num_hidden_layers, "transformer blocks");
    f("num_attention_heads", num_attention_heads, "H: attention heads");
    f("num_key_value_heads", num_key_value_heads, "heads of keys and values, shared by queries");
    f("intermediate_size", intermediate_size, "width inside the SwiGLU");
    f("max_position_embeddings", max_position_embeddings, "longest prompt and completion together");
    f("rope_theta", rope_theta, "base of the rotary position angles");
    f("rms_norm_eps", rms_norm_eps, "ε of every RMSNorm");
    f("tie_word_embeddings", tie_word_embeddings, "whether the head is the embedding");
  }
  void validate() const;
};

/// A model to be made anew, chosen by `name`.
using ArchitectureOptions = std::variant<LladaConfig, DreamConfig>;

struct ModelConfig {
  Architecture architecture;
  Vocabulary vocabulary;
  std::string json;  // config.json itself: a model that was loaded is saved with the same one
  // generation_config.json and the Python files that auto_map names, by name: saved as they were.
  std::map<std::string, std::string> companions = {};
};

/// config.json of a Hugging Face folder, the family from its `architectures`. Throws Error naming
/// file and key for what is missing or cannot be honoured.
ModelConfig read_model_config(const std::filesystem::path& folder);

/// The same from the file's text; `where` begins every error.
ModelConfig parse_model_config(const std::string& text, const std::string& where);

ModelConfig make_model_config(const ArchitectureOptions& options, const Vocabulary& vocabulary);

}  // namespace gdsd
