#include "gdsd/bench/work.h"

#include "gdsd/denoiser/init_weights.h"
#include "gdsd/denoiser/model.h"

namespace gdsd {

namespace {

struct Sizes {
  LladaConfig model;
  int64_t V;
};

Sizes sizes_of(BenchShape shape) {
  auto config = [](int64_t D, int64_t layers, int64_t heads, int64_t mlp) {
    return LladaConfig{.d_model = D,
                       .n_layers = layers,
                       .n_heads = heads,
                       .n_kv_heads = heads,
                       .mlp_hidden_size = mlp,
                       .max_sequence_length = 4096};
  };
  switch (shape) {
    case BenchShape::kT: return {config(128, 4, 4, 344), 64};
    case BenchShape::kS: return {config(256, 5, 4, 688), 2048};
    case BenchShape::kM: return {config(768, 12, 12, 2048), 32000};
  }
  throw std::logic_error("[bench] unhandled BenchShape");
}

/// Random weights, as a folder's would be held.
Transformer random_model(const BenchOptions& o, const Compute& compute, bool train) {
  const ModelConfig config = bench_config(o);
  const Key key{o.seed};
  const bool all = train && !o.lora.active();
  TensorMap parameters;
  for (const auto& [name, shape] : tensor_shapes(config.architecture))
    parameters[name] = init_weight(config.architecture, name, shape, key.fork("init").fork(name))
                           .to(compute.device, all ? at::kFloat : compute.dtype)
                           .requires_grad_(all);
  Adapter adapter;
  if (train && o.lora.active())
    adapter = new_adapter(config.architecture, o.lora, "random", key.fork("lora"));
  for (auto& [name, part] : adapter.modules) {
    part.A = part.A.to(compute.device).requires_grad_();
    part.B = part.B.to(compute.device).requires_grad_();
  }
  return {config, std::move(parameters), compute, std::move(adapter)};
}

/// A tensor of the file `masks`.
Tensor read(const BenchOptions& o, const std::string& name, at::IntArrayRef sizes,
            at::ScalarType type) {
  const TensorMap file = read_safetensors(o.masks);
  const auto found = file.find(name);
  check(found != file.end(), "[bench] ", o.masks, ": no tensor '", name, "'.");
  check_shape(found->second, sizes, o.masks + ": " + name);
  check(found->second.scalar_type() == type, "[bench] ", o.masks, ": '", name, "' is of type ",
        found->second.scalar_type(), ", expected ", type, ".");
  return found->second.clone();
}

}  // namespace

ModelConfig bench_config(const BenchOptions& o) {
  if (!o.model.empty()) return config_of(o.model);
  const auto [model, V] = sizes_of(o.shape);
  return make_model_config(model, {.size = V, .mask_id = V - 1, .eos_id = V - 2, .pad_id = V - 2});
}

Transformer bench_model(const BenchOptions& o, const Compute& compute) {
  if (o.model.empty()) return random_model(o, compute, /*train=*/true);
  return *load_denoiser(o.model, compute, Use::kTraining, o.lora, Key{o.seed}.fork("lora"));
}

Transformer bench_reference(const BenchOptions& o, const Compute& compute,
                            const Transformer& denoiser) {
  if (!denoiser.adapter().empty()) return denoiser.with_adapter({});
  if (o.model.empty()) return random_model(o, compute, /*train=*/false);
  return *load_denoiser(o.model, compute, Use::kInference);
}

Tensor counted_ids(const BenchOptions& o, int64_t V) {
  const int64_t B = o.batch, L = o.prompt + o.sampler.gen_length;
  Tensor ids;
  if (!o.masks.empty() && !o.has("rollout")) {
    ids = read(o, "ids", {B, L}, at::kLong);
    check(ids.min().item<int64_t>() >= 0 && ids.max().item<int64_t>() < V, "[bench] ", o.masks,
          ": 'ids' has ids outside 0 … ", V - 1, ".");
    return ids;
  }
  return (at::arange(B).unsqueeze(1) * 7919 + at::arange(L).unsqueeze(0) * 104729 + 17)
      .remainder(V - 2);
}

std::vector<Tensor> bench_masks(const BenchOptions& o, const Packed& sequences) {
  const int64_t B = o.batch, C = o.sampler.gen_length;
  std::vector<Tensor> out;
  if (!o.masks.empty()) {
    const Tensor masks = read(o, "masks", {o.inner, o.views * B, C}, at::kBool);
    for (int64_t i = 0; i < o.inner; ++i) out.push_back(masks[i]);
    return out;
  }
  const Completed x0{sequences, C, std::vector<int64_t>(B, C), {}};
  const Tensor completion = tail_rows(sequences, C).flatten().cpu();  // [B · C]
  for (int64_t i = 0; i < o.inner; ++i) {
    const Views views = mask(x0, {.views = o.views}, B, Key{o.seed}.fork("mask", i));
    out.push_back(
        views.hidden.slice(0, 0, o.views).index_select(1, completion).reshape({o.views * B, C}));
  }
  return out;
}

Views coupled_views(const Packed& sequences, const Tensor& masks) {
  const int64_t B = sequences.size(), K = masks.size(0) / B, C = masks.size(1);
  const Tensor first = masks.view({K, B, C});
  Views out{.rollouts = sequences,
            .hidden = at::zeros({2 * K, sequences.tokens.size(0)}, at::kBool),
            .asked = at::cat({first, first.logical_not()}),
            .weight = at::full({K, B, C}, 0.5, at::kDouble)};
  out.hidden.index_copy_(1, tail_rows(sequences, C).flatten().cpu(),
                         out.asked.reshape({2 * K, B * C}));
  return out;
}

}  // namespace gdsd
