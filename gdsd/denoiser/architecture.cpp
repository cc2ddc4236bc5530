#include "gdsd/denoiser/architecture.h"

#include <stdexcept>

#include "gdsd/base/check.h"

namespace gdsd {

namespace {

/// One family's names.
struct Names {
  std::array<const char*, 3> parts;     // by Part
  const char* layers;                   // what the layers' numbers follow
  std::array<const char*, 7> matrices;  // by Role
  const char *attention_norm, *mlp_norm;
};

constexpr Names kNames[] = {
    {.parts = {"model.transformer.wte", "model.transformer.ln_f", "model.transformer.ff_out"},
     .layers = "model.transformer.blocks.",
     .matrices = {"q_proj", "k_proj", "v_proj", "attn_out", "ff_proj", "up_proj", "ff_out"},
     .attention_norm = "attn_norm",
     .mlp_norm = "ff_norm"},
    {.parts = {"model.embed_tokens", "model.norm", "lm_head"},
     .layers = "model.layers.",
     .matrices = {"self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj",
                  "mlp.gate_proj", "mlp.up_proj", "mlp.down_proj"},
     .attention_norm = "input_layernorm",
     .mlp_norm = "post_attention_layernorm"}};

const Names& names(const Architecture& a) { return kNames[static_cast<size_t>(a.family)]; }

std::string in_layer(const Architecture& a, int64_t layer, const char* leaf) {
  return concat(names(a).layers, layer, ".", leaf);
}

}  // namespace

std::string part_name(const Architecture& a, Part part) {
  return names(a).parts[static_cast<size_t>(part)];
}

std::string matrix_name(const Architecture& a, int64_t layer, Role role) {
  return in_layer(a, layer, names(a).matrices[static_cast<size_t>(role)]);
}

std::string attention_norm_name(const Architecture& a, int64_t layer) {
  return in_layer(a, layer, names(a).attention_norm);
}

std::string mlp_norm_name(const Architecture& a, int64_t layer) {
  return in_layer(a, layer, names(a).mlp_norm);
}

std::array<int64_t, 2> matrix_shape(const Architecture& a, Role role) {
  switch (role) {
    case Role::kQ:
    case Role::kO: return {a.width, a.width};
    case Role::kK:
    case Role::kV: return {a.kv_heads * a.head_width(), a.width};
    case Role::kGate:
    case Role::kUp: return {a.mlp_width, a.width};
    case Role::kDown: return {a.width, a.mlp_width};
  }
  throw std::logic_error("[matrix_shape] unhandled Role");
}

Shapes tensor_shapes(const Architecture& a) {
  Shapes shapes{{part_name(a, Part::kEmbedding) + ".weight", {a.vocabulary, a.width}},
                {part_name(a, Part::kFinalNorm) + ".weight", {a.width}}};
  if (!a.tied_head) shapes[part_name(a, Part::kHead) + ".weight"] = {a.vocabulary, a.width};
  for (int64_t i = 0; i < a.layers; ++i) {
    shapes[attention_norm_name(a, i) + ".weight"] = {a.width};
    shapes[mlp_norm_name(a, i) + ".weight"] = {a.width};
    for (Role role : kRoles) {
      const auto [out, in] = matrix_shape(a, role);
      shapes[matrix_name(a, i, role) + ".weight"] = {out, in};
      if (a.qkv_bias && role <= Role::kV) shapes[matrix_name(a, i, role) + ".bias"] = {out};
    }
  }
  return shapes;
}

double parameter_count(const Architecture& a) {
  auto with_layers = [&](int64_t layers) {
    Architecture few = a;
    few.layers = layers;
    double sum = 0;
    for (const auto& [name, shape] : tensor_shapes(few))
      sum += static_cast<double>(shape[0]) * static_cast<double>(shape.size() > 1 ? shape[1] : 1);
    return sum;
  };
  const double none = with_layers(0);
  return none + static_cast<double>(a.layers) * (with_layers(1) - none);
}

}  // namespace gdsd
