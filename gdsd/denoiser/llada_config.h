// The shape of a LLaDA model, as its config.json says. Nie et al. 2025, arXiv:2502.09992.
#pragma once

#include <filesystem>
#include <string>

#include "gdsd/base/fields.h"
#include "gdsd/denoiser/denoiser.h"

namespace gdsd {

/// Fields carry config.json's names. Everything else in that file must have the one value that
/// LLaDA was released with, or loading fails: its own defaults are GPT-2's.
struct LladaConfig {
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

  int64_t head_width() const { return d_model / n_heads; }  // h
};

/// config.json of a Hugging Face folder.
struct LladaFolder {
  LladaConfig config;
  Vocabulary vocabulary;
};
LladaFolder read_llada_config(const std::filesystem::path& folder);
std::string llada_config_json(const LladaConfig& config, const Vocabulary& vocabulary);

}  // namespace gdsd
