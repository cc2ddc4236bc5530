#include <c10/core/GradMode.h>
#include <torch/csrc/autograd/custom_function.h>

#include <optional>

#include "gdsd/denoiser/block.h"
#include "gdsd/denoiser/fused_linear.h"
#include "gdsd/denoiser/fused_parts.h"
#include "gdsd/tensor/cpu_kernels.h"

namespace gdsd {

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/// What the backward pass needs of the forward pass: R is N where no rows are asked for.
struct Kept {
  Tensor s, inverse1;                            // [N, D], [N]
  Tensor q, k, v;                                // [R, H h], [N, H′ h], [N, H′ h], rotated
  Tensor out, lse;                               // [R, H h], [R, H]
  Tensor mid, inverse2, gate, up;                // [R, D], [R], [R, F], [R, F]
  std::array<Tensor, kRoles.size()> low;         // of every adapter

  std::vector<Tensor*> tensors() {
    std::vector<Tensor*> all{&s, &inverse1, &q, &k, &v, &out, &lse, &mid, &inverse2, &gate, &up};
    for (Tensor& t : low) all.push_back(&t);
    return all;
  }
  Tensor& low_of(Role role) { return low[static_cast<size_t>(role)]; }
};

/// A block whose forward and backward pass share what does not change.
struct FusedBlock : torch::CustomClassHolder {
  FusedBlock(const Block& b, const Pass& pass, const Rows* r)
      : block(b),
        h(pass.architecture.head_width()),
        eps(pass.architecture.norm_epsilon),
        lengths(pass.lengths),
        rope(pass.rope),
        repeats(pass.repeats),
        rows(r ? std::optional(*r) : std::nullopt) {}

  Tensor forward(const Tensor& input, Kept& kept) const;
  /// → the gradient of s; parameters' in `grads`, those that `wanted` has defined.
  Tensor backward(Kept& kept, const Tensor& d_y, const Block& wanted, bool input_wanted,
                  Block& grads) const;

  Tensor pick(const Tensor& x) const { return rows ? x.index_select(0, rows->index) : x; }
  const std::vector<int64_t>& queries() const { return rows ? rows->counts : lengths; }
  Rope query_rope() const { return rows ? select(rope, *rows) : rope; }
  FusedLinear linear(Role role, const Tensor& x) const { return {block[role], x.scalar_type()}; }

  const Block block;
  const int64_t h;
  const double eps;
  const std::vector<int64_t> lengths;
  const Rope rope;
  const Repeats repeats;
  const std::optional<Rows> rows;

 private:
  Tensor mlp_backward(Kept& kept, const Tensor& d_y, const Block& wanted, Block& grads) const;
};

Tensor FusedBlock::forward(const Tensor& input, Kept& kept) const {
  auto apply = [&](Role role, const Tensor& x, const Tensor& base) {
    return linear(role, x).apply(x, base, kept.low_of(role));
  };
  kept.s = input;
  const bool once = repeats.of.defined();
  Normed n = fused_norm(once ? repeats.s : input, block.attention_norm, eps);
  kept.inverse1 = n.inverse;
  auto all = [&](const Tensor& y) { return once ? y.index_select(0, repeats.of) : y; };  // [N, ·]
  kept.q = once ? pick(all(apply(Role::kQ, n.y, {}))) : apply(Role::kQ, pick(n.y), {});
  kept.k = all(apply(Role::kK, n.y, {}));
  kept.v = all(apply(Role::kV, n.y, {}));
  n.y.reset();
  fused_rotate(kept.q, query_rope(), 1);
  fused_rotate(kept.k, rope, 1);
  const Attended attended = fused_attend({kept.q, kept.k, kept.v, queries(), lengths, h});
  kept.out = attended.out;
  kept.lse = attended.lse;
  kept.mid = apply(Role::kO, kept.out, pick(input));
  const Normed m = fused_norm(kept.mid, block.mlp_norm, eps);
  kept.inverse2 = m.inverse;
  kept.gate = apply(Role::kGate, m.y, {});
  kept.up = apply(Role::kUp, m.y, {});
  return apply(Role::kDown, fused_swiglu(kept.gate, kept.up), kept.mid);
}

/// A gradient of a norm's weight to add to, if it is wanted.
Tensor norm_gradient(const Tensor& wanted) {
  return wanted.defined() ? at::zeros(wanted.sizes(), wanted.options().dtype(at::kFloat))
                          : Tensor();
}

/// Of the second half: → the gradient of the stream between the halves.
Tensor FusedBlock::mlp_backward(Kept& kept, const Tensor& d_y, const Block& wanted,
                                Block& grads) const {
  auto learn = [&](Role role, const Tensor& x, const Tensor& d) {
    grads.matrices[static_cast<size_t>(role)] =
        linear(role, x).parameter_gradients(x, kept.low_of(role), d, wanted[role]);
  };
  Tensor d_act;
  linear(Role::kDown, d_y).add_input_gradient(d_y, d_act);
  learn(Role::kDown, fused_swiglu(kept.gate, kept.up), d_y);
  const auto [d_gate, d_up] = fused_swiglu_gradient(kept.gate, kept.up, d_act);
  d_act.reset();
  const Tensor m = fused_norm(kept.mid, block.mlp_norm, eps).y;
  learn(Role::kGate, m, d_gate);
  learn(Role::kUp, m, d_up);
  Tensor d_m;
  linear(Role::kGate, m).add_input_gradient(d_gate, d_m);
  linear(Role::kUp, m).add_input_gradient(d_up, d_m);
  grads.mlp_norm = norm_gradient(wanted.mlp_norm);
  return fused_norm_gradient(kept.mid, block.mlp_norm, kept.inverse2, d_m, d_y, grads.mlp_norm);
}

Tensor FusedBlock::backward(Kept& kept, const Tensor& d_y, const Block& wanted, bool input_wanted,
                            Block& grads) const {
  auto learn = [&](Role role, const Tensor& x, const Tensor& d) {
    grads.matrices[static_cast<size_t>(role)] =
        linear(role, x).parameter_gradients(x, kept.low_of(role), d, wanted[role]);
  };
  const Tensor d_mid = mlp_backward(kept, d_y, wanted, grads);
  learn(Role::kO, kept.out, d_mid);
  Tensor d_out;
  linear(Role::kO, d_mid).add_input_gradient(d_mid, d_out);
  const auto [d_q, d_k, d_v] = fused_attend_gradient(
      {kept.q, kept.k, kept.v, queries(), lengths, h}, {kept.out, kept.lse}, d_out);
  fused_rotate(d_q, query_rope(), -1);
  fused_rotate(d_k, rope, -1);
  const Tensor n = fused_norm(kept.s, block.attention_norm, eps).y;
  learn(Role::kQ, pick(n), d_q);
  learn(Role::kK, n, d_k);
  learn(Role::kV, n, d_v);
  if (!input_wanted && !wanted.attention_norm.defined()) return {};

  Tensor d_n, d_picked;
  linear(Role::kK, n).add_input_gradient(d_k, d_n);
  linear(Role::kV, n).add_input_gradient(d_v, d_n);
  linear(Role::kQ, n).add_input_gradient(d_q, rows ? d_picked : d_n);
  if (rows) d_n.index_add_(0, rows->index, d_picked);
  const Tensor d_stream =
      rows ? at::zeros_like(kept.s).index_add_(0, rows->index, d_mid) : d_mid;
  grads.attention_norm = norm_gradient(wanted.attention_norm);
  return fused_norm_gradient(kept.s, block.attention_norm, kept.inverse1, d_n, d_stream,
                             grads.attention_norm);
}

/// FusedBlock as autograd sees it: of s and the block's tensors, in the order of Block::tensors().
struct Function : torch::autograd::Function<Function> {
  static Tensor forward(AutogradContext* ctx, const c10::intrusive_ptr<FusedBlock>& body,
                        at::TensorList inputs) {
    Kept kept;
    const Tensor y = body->forward(inputs[0], kept);
    variable_list saved;
    for (Tensor* t : kept.tensors()) saved.push_back(*t);
    ctx->save_for_backward(saved);
    ctx->saved_data["body"] = c10::IValue::make_capsule(body);
    return y;
  }

  static variable_list backward(AutogradContext* ctx, const variable_list& d_y) {
    const auto saved = ctx->get_saved_variables();
    const auto body =
        c10::static_intrusive_pointer_cast<FusedBlock>(ctx->saved_data["body"].toCapsule());
    Kept kept;
    const auto slots = kept.tensors();
    for (size_t i = 0; i < slots.size(); ++i) *slots[i] = saved[i];
    Block wanted = body->block, grads = wanted;
    size_t index = 1;
    for (Tensor* t : wanted.tensors())
      if (!ctx->needs_input_grad(index++)) t->reset();
    for (Tensor* t : grads.tensors()) t->reset();

    variable_list out{Tensor()};  // the body has none
    out.push_back(
        body->backward(kept, d_y[0].contiguous(), wanted, ctx->needs_input_grad(0), grads));
    Block all = body->block;
    const auto there = all.places(), found = grads.places();
    for (size_t i = 0; i < there.size(); ++i)
      if (there[i]->defined())
        out.push_back(found[i]->defined() ? found[i]->to(there[i]->scalar_type()) : Tensor());
    return out;
  }
};

}  // namespace

Tensor fused_block(const Block& block, const Pass& pass, const Tensor& s, const Rows* rows) {
  const auto body = c10::make_intrusive<FusedBlock>(block, pass, rows);
  if (!c10::GradMode::is_enabled()) {
    Kept kept;
    return body->forward(s, kept);
  }
  std::vector<Tensor> inputs{s};
  Block places = block;
  for (Tensor* t : places.tensors()) inputs.push_back(*t);
  return Function::apply(body, at::TensorList(inputs));
}

namespace {

struct NormFunction : torch::autograd::Function<NormFunction> {
  static Tensor forward(AutogradContext* ctx, const Tensor& x, const Tensor& weight, double eps) {
    const Normed out = fused_norm(x, weight, eps);
    ctx->save_for_backward({x, weight, out.inverse});
    return out.y;
  }
  static variable_list backward(AutogradContext* ctx, const variable_list& d_y) {
    const auto saved = ctx->get_saved_variables();
    Tensor d_w = ctx->needs_input_grad(1) ? norm_gradient(saved[1]) : Tensor();
    const Tensor d_x =
        fused_norm_gradient(saved[0], saved[1], saved[2], d_y[0].contiguous(), {}, d_w);
    return {d_x, d_w.defined() ? d_w.to(saved[1].scalar_type()) : d_w, Tensor()};
  }
};

}  // namespace

Tensor final_rms_norm(const Tensor& s, const Tensor& weight, double eps) {
  return kernels_take(s) ? NormFunction::apply(s, weight, eps) : rms_norm(s, weight, eps);
}

}  // namespace gdsd
