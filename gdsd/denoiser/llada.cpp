#include "gdsd/denoiser/llada.h"

#include <cmath>
#include <numbers>

#include "gdsd/base/random.h"
#include "gdsd/denoiser/layers.h"

namespace gdsd {

namespace {

constexpr const char* kWte = "model.transformer.wte.weight";
constexpr const char* kLnF = "model.transformer.ln_f.weight";
constexpr const char* kHead = "model.transformer.ff_out.weight";

std::string block_name(int64_t i, const char* leaf) {
  return concat("model.transformer.blocks.", i, ".", leaf, ".weight");
}

/// The set of names must match, and every shape.
void check_parameters(const LladaConfig& config, int64_t V, const TensorMap& parameters) {
  const auto expected = llada_shapes(config, V);
  for (const auto& [name, tensor] : parameters)
    check(expected.contains(name), "[model] unexpected tensor '", name, "'.");
  for (const auto& [name, shape] : expected) {
    const auto found = parameters.find(name);
    check(found != parameters.end(), "[model] tensor '", name, "' is missing.");
    check(found->second.sizes() == at::IntArrayRef(shape), "[model] tensor '", name, "' has shape ",
          found->second.sizes(), ", expected ", at::IntArrayRef(shape), ".");
  }
}

bool all_equal(const std::vector<int64_t>& values) {
  return std::adjacent_find(values.begin(), values.end(), std::not_equal_to<>()) == values.end();
}

}  // namespace

std::map<std::string, std::vector<int64_t>> llada_shapes(const LladaConfig& c, int64_t V) {
  const int64_t D = c.d_model, M = c.mlp_hidden_size, KV = c.n_kv_heads * c.head_width();
  std::map<std::string, std::vector<int64_t>> shapes{{kWte, {V, D}}, {kLnF, {D}}};
  if (!c.weight_tying) shapes[kHead] = {V, D};
  for (int64_t i = 0; i < c.n_layers; ++i) {
    shapes[block_name(i, "attn_norm")] = {D};
    shapes[block_name(i, "q_proj")] = {D, D};
    shapes[block_name(i, "k_proj")] = {KV, D};
    shapes[block_name(i, "v_proj")] = {KV, D};
    shapes[block_name(i, "attn_out")] = {D, D};
    shapes[block_name(i, "ff_norm")] = {D};
    shapes[block_name(i, "ff_proj")] = {M, D};
    shapes[block_name(i, "up_proj")] = {M, D};
    shapes[block_name(i, "ff_out")] = {D, M};
  }
  return shapes;
}

TensorMap init_llada(const LladaConfig& config, int64_t V, Key key) {
  TensorMap parameters;
  for (const auto& [name, shape] : llada_shapes(config, V)) {
    Tensor w = parameters[name] = at::ones(shape, at::kFloat);
    if (shape.size() == 1) continue;
    const Key stream = key.fork(name);
    const double bound = 1 / std::sqrt(static_cast<double>(shape[1]));
    auto normal = [&](uint64_t i) {  // Box–Muller
      return std::sqrt(-2 * std::log(uniform(stream, 2 * i))) *
             std::cos(2 * std::numbers::pi * uniform(stream, 2 * i + 1));
    };
    float* data = w.data_ptr<float>();
    for (int64_t i = 0; i < w.numel(); ++i)
      data[i] = static_cast<float>(name == kWte ? normal(i) : bound * (2 * uniform(stream, i) - 1));
  }
  return parameters;
}

Llada::Llada(const LladaConfig& config, const Vocabulary& vocabulary, TensorMap parameters,
             const Compute& compute)
    : config_(config),
      vocabulary_(vocabulary),
      parameters_(std::move(parameters)),
      compute_(compute) {
  check_parameters(config_, vocabulary_.size, parameters_);
  wte_ = parameters_.at(kWte);
  ln_f_ = parameters_.at(kLnF);
  head_ = config_.weight_tying ? wte_ : parameters_.at(kHead);
  for (int64_t i = 0; i < config_.n_layers; ++i) {
    auto get = [&](const char* leaf) { return parameters_.at(block_name(i, leaf)); };
    blocks_.push_back({.attn_norm = get("attn_norm"),
                       .q_proj = get("q_proj"),
                       .k_proj = get("k_proj"),
                       .v_proj = get("v_proj"),
                       .attn_out = get("attn_out"),
                       .ff_norm = get("ff_norm"),
                       .ff_proj = get("ff_proj"),
                       .up_proj = get("up_proj"),
                       .ff_out = get("ff_out")});
  }
}

Llada Llada::replica() const {
  TensorMap shared;
  for (const auto& [name, tensor] : parameters_)
    shared[name] = tensor.detach().requires_grad_(tensor.requires_grad());
  return Llada(config_, vocabulary_, std::move(shared), compute_);
}

Tensor Llada::head() const { return head_.to(compute_.dtype); }

Tensor Llada::encode(const Packed& x, const Rows& rows) const {
  const int64_t h = config_.head_width();
  const double eps = config_.rms_norm_eps;
  const Rope rope = rope_tables(x, h, config_.rope_theta);
  auto heads = [&](const Tensor& y) { return y.view({y.size(0), y.size(1) / h, h}); };  // [·, H, h]

  Tensor s = at::embedding(wte_, x.tokens).to(compute_.dtype);  // [N, D], the residual stream
  for (const Block& block : blocks_) {
    const bool last = &block == &blocks_.back();
    const Tensor n = rms_norm(s, block.attn_norm, eps);  // [N, D]
    const Tensor k = rotate(heads(project(n, block.k_proj)), rope);
    const Tensor v = heads(project(n, block.v_proj));

    // Nothing above the last layer mixes tokens: there only the rows asked for are worked on. If
    // sequences ask for different numbers of rows, queries are made for all, to stay one batch.
    const bool few_queries = last && all_equal(rows.counts);
    const Tensor q = project(few_queries ? n.index_select(0, rows.index) : n, block.q_proj);
    Tensor a = attend(rotate(heads(q), few_queries ? select(rope, rows) : rope), k, v,
                      few_queries ? rows.counts : x.lengths, x.lengths)
                   .flatten(1);
    if (last) s = s.index_select(0, rows.index);
    if (last && !few_queries) a = a.index_select(0, rows.index);
    s = s + project(a, block.attn_out);

    const Tensor m = rms_norm(s, block.ff_norm, eps);
    s = s + project(at::silu(project(m, block.ff_proj)) * project(m, block.up_proj), block.ff_out);
  }
  return rms_norm(s, ln_f_, eps);  // [R, D]
}

}  // namespace gdsd
