// LLaDA: a bidirectional transformer (RMSNorm, RoPE, SwiGLU, no biases) that predicts every hidden
// token at once. Nie et al. 2025, arXiv:2502.09992.
#pragma once

#include "gdsd/base/key.h"
#include "gdsd/denoiser/llada_config.h"
#include "gdsd/tensor/device.h"
#include "gdsd/tensor/safetensors.h"

namespace gdsd {

class Llada : public Denoiser {
 public:
  /// Takes over `parameters`, which must be exactly those that the config implies; names are
  /// the released checkpoints'. Products are made in compute.dtype.
  Llada(const LladaConfig& config, const Vocabulary& vocabulary, TensorMap parameters,
        const Compute& compute);

  /// A model on the same weights whose gradients are its own: a worker's.
  Llada replica() const;

  Tensor encode(const Packed& x, const Rows& rows) const override;
  Tensor head() const override;
  const Vocabulary& vocabulary() const override { return vocabulary_; }
  int64_t workers() const override { return compute_.workers; }

  const LladaConfig& config() const { return config_; }
  const TensorMap& parameters() const { return parameters_; }

 private:
  struct Block {
    Tensor attn_norm, q_proj, k_proj, v_proj, attn_out, ff_norm, ff_proj, up_proj, ff_out;
  };

  LladaConfig config_;
  Vocabulary vocabulary_;
  TensorMap parameters_;
  Compute compute_;
  Tensor wte_, ln_f_, head_;  // [V, D], [D], [V, D]
  std::vector<Block> blocks_;
};

/// The name and shape of every parameter of such a model.
std::map<std::string, std::vector<int64_t>> llada_shapes(const LladaConfig& config, int64_t V);

/// Fresh float32 weights: matrices uniform in ±1/√inputs, the embedding standard normal, norms 1
/// (PyTorch's defaults). With the released models' own initialisation, whose embedding is √D times
/// smaller, a small model forgets more of what it knew when it is trained on something else.
TensorMap init_llada(const LladaConfig& config, int64_t V, Key key);

}  // namespace gdsd
