// LLaDA and Dream: a bidirectional transformer that predicts every hidden token at once.
// architecture.h has what they differ in.
#pragma once

#include "gdsd/denoiser/block.h"
#include "gdsd/denoiser/denoiser.h"
#include "gdsd/denoiser/model_config.h"
#include "gdsd/tensor/device.h"
#include "gdsd/tensor/safetensors.h"

namespace gdsd {

/// Low-rank additions by the matrices they are made to ("model.layers.3.mlp.down_proj").
struct Adapter {
  std::map<std::string, LowRank> modules;
  std::string json;  // adapter_config.json, which says how it is scaled and what it belongs to

  bool empty() const { return modules.empty(); }
};

class Transformer : public Denoiser {
 public:
  /// Takes over `parameters`, which must be exactly those that the architecture implies; names are
  /// the released checkpoints'. Products are made in compute.dtype. Throws one Error that lists
  /// every tensor that is missing, unexpected or of another shape.
  Transformer(ModelConfig config, TensorMap parameters, const Compute& compute,
              Adapter adapter = {});

  /// A model on the same weights whose gradients are its own: a worker's.
  Transformer replica() const;

  /// The same weights with another adapter, or with none: never a second copy. Another adapter's
  /// products are made apart from those of weights that are augmented with this one's.
  Transformer with_adapter(Adapter adapter) const;

  Tensor encode(const Packed& x, const Rows& rows) const override;
  Tensor encode_within(const Packed& x, const Rows& rows, const Window& window,
                       KeyValues& kept) const override;
  Tensor head() const override;
  const Vocabulary& vocabulary() const override { return config_.vocabulary; }
  int64_t workers() const override { return compute_.workers; }
  bool reuse() const override { return compute_.reuse; }
  void refresh() const override;
  Recordings* recordings() const override { return recordings_.get(); }

  /// The states at x.tokens[rows], [R, D]. In a shifted model these predict the tokens after them.
  Tensor states(const Packed& x, const Rows& rows) const;

  const ModelConfig& config() const { return config_; }
  const Architecture& architecture() const { return config_.architecture; }
  const TensorMap& parameters() const { return parameters_; }
  const Adapter& adapter() const { return adapter_; }
  const Compute& compute() const { return compute_; }

  /// Says that the tokenizer has no ids from `usable` on, so that none of them is proposed.
  void limit_vocabulary(int64_t usable) { config_.vocabulary.usable = usable; }

  /// The tensors that have gradients, by name; an adapter's are "<matrix>.lora_A.weight" and B.
  TensorMap trainable() const;

 private:
  void augment();
  Block make_block(int64_t layer) const;
  bool shares(const Tensor& tokens) const;
  Tensor kept_states(const Packed& x, const Rows& rows, KeyValues& kept) const;
  Tensor states_within(const Packed& x, const Rows& asked, const Window& window,
                       KeyValues& kept) const;
  Tensor distinct_states(const Packed& x, const Rows& rows, KeyValues* kept = nullptr,
                         const Rows* window = nullptr) const;

  ModelConfig config_;
  TensorMap parameters_;
  Compute compute_;
  Adapter adapter_;
  Tensor embedding_, final_norm_, head_;                         // [V, D], [D], [V, D]
  std::map<std::string, std::shared_ptr<Augmented>> augmented_;  // by matrix; weights are views
  std::vector<Block> blocks_;
  std::shared_ptr<Recordings> recordings_;  // copies have the same weights
};

/// Throws one Error that lists every tensor that is missing, unexpected, of another shape than the
/// architecture implies, or of a type that weights do not have: in a file float64 is none.
void check_parameters(const Architecture& architecture, const TensorMap& parameters,
                      bool of_a_file);

}  // namespace gdsd
