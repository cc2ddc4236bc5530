// What LLaDA and Dream have in common, and every point where they differ: a bidirectional
// transformer (RMSNorm, RoPE, SwiGLU). Nie et al. 2025, arXiv:2502.09992; Ye et al. 2025,
// arXiv:2508.15487.
#pragma once

#include <array>
#include <map>
#include <string>
#include <vector>

#include "gdsd/denoiser/vocabulary.h"

namespace gdsd {

/// Whose names the tensors have in files.
enum class Family { kLlada, kDream };
constexpr auto enum_names(Family) { return std::array{"LLaDA", "Dream"}; }

/// The matrices of a block, by what they do.
enum class Role { kQ, kK, kV, kO, kGate, kUp, kDown };
constexpr auto enum_names(Role) { return std::array{"q", "k", "v", "o", "gate", "up", "down"}; }
inline constexpr std::array kRoles{Role::kQ,    Role::kK,  Role::kV,   Role::kO,
                                   Role::kGate, Role::kUp, Role::kDown};

struct Architecture {
  Family family = Family::kLlada;
  int64_t vocabulary = 0;  // V: rows of the embedding and of the head
  int64_t width = 0;       // D
  int64_t layers = 0;
  int64_t heads = 0;       // H
  int64_t kv_heads = 0;    // heads of keys and values, each shared by heads / kv_heads queries
  int64_t mlp_width = 0;   // inside the SwiGLU
  int64_t max_length = 0;  // longest prompt and completion together
  double rope_theta = 0;
  double norm_epsilon = 0;
  bool tied_head = false;  // the head is the embedding
  bool qkv_bias = false;   // Dream
  bool wide_rope = true;   // LLaDA rotates in float32, Dream in the type of the products
  bool shifted = false;    // Dream: the state at i − 1 predicts token i
  bool operator==(const Architecture&) const = default;

  int64_t head_width() const { return width / heads; }  // h
};

/// A norm, embedding or head: a tensor of its own, not one of a block's matrices.
enum class Part { kEmbedding, kFinalNorm, kHead };

// Names of tensors in files, without ".weight" or ".bias".
std::string part_name(const Architecture& architecture, Part part);
std::string matrix_name(const Architecture& architecture, int64_t layer, Role role);
std::string attention_norm_name(const Architecture& architecture, int64_t layer);
std::string mlp_norm_name(const Architecture& architecture, int64_t layer);

/// [out, in] of a block's matrix.
std::array<int64_t, 2> matrix_shape(const Architecture& architecture, Role role);

using Shapes = std::map<std::string, std::vector<int64_t>>;

/// Every tensor of such a model, by its name in files.
Shapes tensor_shapes(const Architecture& architecture);

/// The numbers in them, which may be more than an integer holds.
double parameter_count(const Architecture& architecture);

}  // namespace gdsd
