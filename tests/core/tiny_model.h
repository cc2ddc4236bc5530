// A LLaDA small enough for finite differences, with random weights.
#pragma once

#include "gdsd/denoiser/init_weights.h"
#include "gdsd/denoiser/transformer.h"

namespace gdsd {

inline constexpr Vocabulary kTinyVocabulary{.size = 13, .mask_id = 1, .eos_id = 2, .pad_id = 0};

inline LladaConfig tiny_config() {
  return {.d_model = 16,
          .n_layers = 2,
          .n_heads = 4,
          .n_kv_heads = 4,
          .mlp_hidden_size = 24,
          .max_sequence_length = 64};
}

inline ModelConfig tiny_model_config(const ArchitectureOptions& options = tiny_config()) {
  return make_model_config(options, kTinyVocabulary);
}

/// `stored` is the type of the weights, `products` that of the products.
inline Transformer tiny_llada(const LladaConfig& config = tiny_config(),
                              at::ScalarType stored = at::kFloat,
                              at::ScalarType products = at::kFloat, Key key = {3}) {
  ModelConfig made = tiny_model_config(config);
  TensorMap weights = init_weights(made.architecture, key);
  for (auto& [name, tensor] : weights) tensor = tensor.to(stored);
  return {std::move(made), std::move(weights), Compute{.dtype = products}};
}

}  // namespace gdsd
