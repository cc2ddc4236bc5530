#include "gdsd/denoiser/transformer.h"

#include <c10/core/GradMode.h>

#include "gdsd/denoiser/recompute.h"
#include "gdsd/denoiser/reuse.h"
#include "gdsd/tensor/constants.h"
#include "gdsd/tensor/graph.h"

namespace gdsd {

namespace {

bool is_weight_type(at::ScalarType type, bool of_a_file) {
  return type == at::kFloat || type == at::kHalf || type == at::kBFloat16 ||
         (type == at::kDouble && !of_a_file);
}

}  // namespace

void check_parameters(const Architecture& architecture, const TensorMap& parameters,
                      bool of_a_file) {
  const Shapes expected = tensor_shapes(architecture);
  std::string faults;
  for (const auto& [name, shape] : expected) {
    const auto found = parameters.find(name);
    if (found == parameters.end())
      faults += concat("\n  '", name, "' is missing");
    else if (found->second.sizes() != at::IntArrayRef(shape))
      faults += concat("\n  '", name, "' has shape ", found->second.sizes(), ", expected ",
                       at::IntArrayRef(shape));
    else if (!is_weight_type(found->second.scalar_type(), of_a_file))
      faults += concat("\n  '", name, "' is of type ", found->second.scalar_type(),
                       ", expected float32, float16 or bfloat16");
  }
  for (const auto& [name, tensor] : parameters)
    if (!expected.contains(name)) faults += concat("\n  '", name, "' is unexpected");
  check(faults.empty(), "[model] the tensors are not those of the config:", faults);
}

namespace {

void check_adapter(const Architecture& architecture, const Adapter& adapter) {
  std::map<std::string, std::array<int64_t, 2>> shapes;
  for (int64_t i = 0; i < architecture.layers; ++i)
    for (Role role : kRoles)
      shapes[matrix_name(architecture, i, role)] = matrix_shape(architecture, role);
  for (const auto& [name, part] : adapter.modules) {
    check(shapes.contains(name), "[adapter] '", name, "' is no matrix of the model's blocks.");
    const auto [out, in] = shapes.at(name);
    check_shape(part.A, {-1, in}, name + ".lora_A.weight");
    check_shape(part.B, {out, part.A.size(0)}, name + ".lora_B.weight");
  }
}

/// run_block, of which only the input is kept for the backward pass.
Tensor run_block_again(const Block& block, const Pass& pass, const Tensor& s, const Rows* rows) {
  Block copy = block;
  std::vector<Tensor> inputs{s};
  for (Tensor* t : copy.tensors()) inputs.push_back(*t);
  const std::optional<Rows> kept = rows ? std::optional(*rows) : std::nullopt;
  // The pass is captured by value: the backward pass comes after encode() has returned.
  return recomputed(
      [copy, architecture = pass.architecture, lengths = pass.lengths, rope = pass.rope,
       kept](const std::vector<Tensor>& given) {
        Block again = copy;
        const auto places = again.tensors();
        for (size_t i = 0; i < places.size(); ++i) *places[i] = given[i + 1];
        return run_block(again, {architecture, lengths, rope}, given[0], kept ? &*kept : nullptr);
      },
      inputs);
}

/// Where a shifted model predicts `rows`: at the token before each, at the first of its sequence
/// for that one itself.
Rows predictors(const Packed& x, const Rows& rows) {
  const auto begins = x.offsets();
  std::vector<int64_t> first;  // [R]
  for (size_t b = 0; b < rows.counts.size(); ++b)
    first.insert(first.end(), rows.counts[b], begins[b]);
  // With gradients rows are drawn anew each time: nothing to keep.
  const at::Device device = rows.index.device();
  return {
      at::maximum(rows.index - 1, c10::GradMode::is_enabled() ? copied(first, at::kLong, device)
                                                              : constant(first, at::kLong, device)),
      rows.counts};
}

/// The tokens of a window; in a shifted model with one more before them, which predicts the first.
/// None of a sequence of which no row is asked for.
Rows tokens_of(const Packed& x, const Window& window, const Rows& asked, bool shifted) {
  const auto begins = x.offsets();
  std::vector<int64_t> index;
  Rows out;
  for (size_t b = 0; b < x.lengths.size(); ++b) {
    const int64_t begin = std::max(begins[b], window.begin[b] - (shifted ? 1 : 0)),
                  end = asked.counts[b] > 0 ? window.end[b] : begin;
    for (int64_t i = begin; i < end; ++i) index.push_back(i);
    out.counts.push_back(end - begin);
  }
  out.index = to_tensor(index, x.tokens.device());
  return out;
}

}  // namespace

Transformer::Transformer(ModelConfig config, TensorMap parameters, const Compute& compute,
                         Adapter adapter)
    : config_(std::move(config)),
      parameters_(std::move(parameters)),
      compute_(compute),
      adapter_(std::move(adapter)) {
  const Architecture& a = architecture();
  check_parameters(a, parameters_, /*of_a_file=*/false);
  check_adapter(a, adapter_);
  if (compute_.augment) augment();
  auto get = [&](Part part) { return parameters_.at(part_name(a, part) + ".weight"); };
  embedding_ = get(Part::kEmbedding);
  final_norm_ = get(Part::kFinalNorm);
  head_ = a.tied_head ? embedding_ : get(Part::kHead);
  for (int64_t i = 0; i < a.layers; ++i) blocks_.push_back(make_block(i));
  if (compute_.device.is_cuda() && compute_.graphs)
    if (const GraphRecorder recorder = cuda_recorder())
      recordings_ = std::make_shared<Recordings>(recorder);
}

/// Matrices that are frozen, of the type of products, and no part of another tensor.
void Transformer::augment() {
  for (const auto& [name, part] : adapter_.modules) {
    Tensor& weight = parameters_.at(name + ".weight");
    if (weight.scalar_type() != compute_.dtype || weight.requires_grad() || !weight.is_contiguous())
      continue;
    augmented_[name] = std::make_shared<Augmented>(weight, part);
    weight = augmented_[name]->weight();
  }
}

void Transformer::refresh() const {
  for (const auto& [name, both] : augmented_) both->with(adapter_.modules.at(name));
}

Block Transformer::make_block(int64_t layer) const {
  const Architecture& a = architecture();
  Block block{.attention_norm = parameters_.at(attention_norm_name(a, layer) + ".weight"),
              .mlp_norm = parameters_.at(mlp_norm_name(a, layer) + ".weight"),
              .matrices = {}};
  for (Role role : kRoles) {
    const std::string name = matrix_name(a, layer, role);
    Linear& linear = block.matrices[static_cast<size_t>(role)];
    linear.weight = parameters_.at(name + ".weight");
    if (const auto bias = parameters_.find(name + ".bias"); bias != parameters_.end())
      linear.bias = bias->second;
    if (const auto part = adapter_.modules.find(name); part != adapter_.modules.end())
      linear.adapter = part->second;
    if (const auto both = augmented_.find(name); both != augmented_.end())
      linear.augmented = both->second;
  }
  return block;
}

Transformer Transformer::replica() const {
  auto share = [](Tensor& tensor) {
    tensor = tensor.detach().requires_grad_(tensor.requires_grad());
  };
  TensorMap shared = parameters_;
  for (auto& [name, tensor] : shared) share(tensor);
  Adapter adapter = adapter_;
  for (auto& [name, part] : adapter.modules) share(part.A), share(part.B);
  Transformer out(config_, std::move(shared), compute_, std::move(adapter));
  // B has the version of the one it was detached from.
  out.augmented_ = augmented_;
  for (int64_t i = 0; i < architecture().layers; ++i) out.blocks_[i] = out.make_block(i);
  return out;
}

Transformer Transformer::with_adapter(Adapter adapter) const {
  return Transformer(config_, parameters_, compute_, std::move(adapter));
}

TensorMap Transformer::trainable() const {
  TensorMap out;
  auto add = [&](const std::string& name, const Tensor& tensor) {
    if (tensor.requires_grad()) out[name] = tensor;
  };
  for (const auto& [name, tensor] : parameters_) add(name, tensor);
  for (const auto& [name, part] : adapter_.modules) {
    add(name + ".lora_A.weight", part.A);
    add(name + ".lora_B.weight", part.B);
  }
  return out;
}

Tensor Transformer::head() const { return head_.to(compute_.dtype); }

Tensor Transformer::encode(const Packed& x, const Rows& rows) const {
  return states(x, architecture().shifted ? predictors(x, rows) : rows);
}

Tensor Transformer::states(const Packed& x, const Rows& rows) const {
  if (compute_.reuse && !c10::GradMode::is_enabled())
    if (const auto asked = asked_sequences(x, rows)) return states(asked->x, asked->rows);
  if (shares(x.tokens))
    if (const auto distinct = distinct_sequences(x, rows))
      return distinct_states(distinct->x, distinct->rows).index_select(0, distinct->of);
  return distinct_states(x, rows);
}

/// states(), of which `kept` is left the keys and values of all tokens.
Tensor Transformer::kept_states(const Packed& x, const Rows& rows, KeyValues& kept) const {
  kept.layers.resize(blocks_.size());
  const auto distinct =
      shares(x.tokens) ? distinct_sequences(x, rows) : std::optional<DistinctSequences>();
  if (!distinct) return distinct_states(x, rows, &kept);
  const Tensor out = distinct_states(distinct->x, distinct->rows, &kept);
  for (auto& [k, v] : kept.layers) {
    k = k.index_select(0, distinct->token_of);
    v = v.index_select(0, distinct->token_of);
  }
  return out.index_select(0, distinct->of);
}

/// Bits are equal, gradients would be summed in another order.
bool Transformer::shares(const Tensor& tokens) const {
  return compute_.reuse && tokens.is_cpu() && !c10::GradMode::is_enabled();
}

Tensor Transformer::encode_within(const Packed& x, const Rows& rows, const Window& window,
                                  KeyValues& kept) const {
  check(!c10::GradMode::is_enabled(), "[encode_within] has no gradient.");
  const Rows asked = architecture().shifted ? predictors(x, rows) : rows;
  if (kept.empty()) {
    kept.first = x.tokens.clone();
    return kept_states(x, asked, kept);
  }
  if (shares(x.tokens))
    if (auto distinct = distinct_within(x, asked, window, kept)) {
      const DistinctSequences& some = distinct->sequences;
      return states_within(some.x, some.rows, distinct->window, distinct->kept)
          .index_select(0, some.of);
    }
  return states_within(x, asked, window, kept);
}

Tensor Transformer::states_within(const Packed& x, const Rows& asked, const Window& window,
                                  KeyValues& kept) const {
  const Rows tokens = tokens_of(x, window, asked, architecture().shifted);
  Tensor place = at::full_like(x.tokens, -1);  // of every token in the window
  place.index_copy_(0, tokens.index, at::arange(tokens.index.size(0), x.tokens.options()));
  const Rows here{place.index_select(0, asked.index), asked.counts};
  check(here.index.numel() == 0 || here.index.min().item<int64_t>() >= 0,
        "[encode_within] rows are asked for that are not in the window.");
  return distinct_states(x, here, &kept, &tokens);
}

/// The states at `rows`, which count within `window` if there is one.
Tensor Transformer::distinct_states(const Packed& x, const Rows& rows, KeyValues* kept,
                                    const Rows* window) const {
  const Architecture& a = architecture();
  const at::ScalarType table = a.wide_rope ? at::kFloat : compute_.dtype;
  const Rope rope = rope_tables(x, a.head_width(), a.rope_theta, table);
  Pass pass{a, window ? window->counts : x.lengths, window ? select(rope, *window) : rope};
  const Tensor ids = window ? x.tokens.index_select(0, window->index) : x.tokens;
  const bool learns = c10::GradMode::is_enabled();
  const bool again = compute_.activation_checkpointing && learns;
  // The bits of states are equal, those of gradients are not.
  const bool trims = compute_.reuse || learns;

  // [N, D], the residual stream
  auto embed = [&](const Tensor& of) { return at::embedding(embedding_, of).to(compute_.dtype); };
  Tensor s;
  if (const auto distinct =
          shares(ids) ? distinct_tokens(ids, a.vocabulary) : std::optional<DistinctTokens>()) {
    pass.repeats = {embed(distinct->tokens), distinct->of};
    s = pass.repeats.s.index_select(0, distinct->of);
  } else {
    s = embed(ids);
  }
  for (const Block& block : blocks_) {
    if (kept) pass.keeping = {&kept->layers[&block - blocks_.data()], window, &x.lengths};
    const Rows* asked = trims && &block == &blocks_.back() ? &rows : nullptr;
    s = again ? run_block_again(block, pass, s, asked) : run_block(block, pass, s, asked);
    pass.repeats = {};
  }
  if (!trims) s = s.index_select(0, rows.index);
  return final_rms_norm(s, final_norm_, a.norm_epsilon);  // [R, D]
}

}  // namespace gdsd
