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
  Tensor s, inverse1;                              // [N, D], [N]
  Tensor q, k, v;                                  // [R, H h], [N, H′ h], [N, H′ h], rotated
  Tensor out, lse;                                 // [R, H h], [R, H]
  Tensor mid, inverse2, gate, up;                  // [R, D], [R], [R, F], [R, F]
  Tensor low_q, low_kv, low_o, low_mlp, low_down;  // of the adapters; low_kv with q's if R is N

  std::vector<Tensor*> tensors() {
    return {&s,        &inverse1, &q,  &k,     &v,      &out,   &lse,     &mid,
            &inverse2, &gate,     &up, &low_q, &low_kv, &low_o, &low_mlp, &low_down};
  }
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
        keeping(pass.keeping),
        keys(keeping.lengths ? *keeping.lengths : lengths),
        rows(r ? std::optional(*r) : std::nullopt) {}

  Tensor forward(const Tensor& input, Kept& kept) const;
  /// → the gradient of s; parameters' in `grads`, those that `wanted` has defined.
  Tensor backward(const Kept& kept, const Tensor& d_y, const Block& wanted, bool input_wanted,
                  Block& grads) const;

  const Block block;

 private:
  Tensor pick(const Tensor& x) const { return rows ? x.index_select(0, rows->index) : x; }
  const std::vector<int64_t>& queries() const { return rows ? rows->counts : lengths; }
  Rope query_rope() const { return rows ? select(rope, *rows) : rope; }
  FusedLinears linears(const std::vector<Role>& roles, const Tensor& x) const {
    return {block, roles, x.scalar_type()};
  }
  /// Those on all tokens: queries are among them unless only some rows are asked for.
  FusedLinears of_all_tokens(const Tensor& x) const {
    return linears(
        rows ? std::vector{Role::kK, Role::kV} : std::vector{Role::kK, Role::kV, Role::kQ}, x);
  }
  void attention_inputs(const Tensor& input, Kept& kept) const;
  Tensor mlp_backward(const Kept& kept, const Tensor& d_y, const Block& wanted, Block& grads) const;

  const int64_t h;
  const double eps;
  const std::vector<int64_t> lengths;
  const Rope rope;
  const Repeats repeats;
  const Keeping keeping;
  const std::vector<int64_t> keys;  // [B] how many are attended to
  const std::optional<Rows> rows;
};

void FusedBlock::attention_inputs(const Tensor& input, Kept& kept) const {
  const bool once = repeats.of.defined();
  const Normed n = fused_norm(once ? repeats.s : input, block.attention_norm, eps);
  kept.inverse1 = n.inverse;
  auto spread = [&](const Tensor& y) { return once ? y.index_select(0, repeats.of) : y; };
  const FusedLinears all = of_all_tokens(n.y);
  kept.low_kv = all.low(n.y);
  kept.k = spread(all.apply(0, n.y, kept.low_kv));
  kept.v = spread(all.apply(1, n.y, kept.low_kv));
  if (!rows) {
    kept.q = spread(all.apply(2, n.y, kept.low_kv));
  } else {
    const Tensor y = pick(spread(n.y));
    const FusedLinears some = linears({Role::kQ}, y);
    kept.low_q = some.low(y);
    kept.q = some.apply(0, y, kept.low_q);
  }
  fused_rotate(kept.q, query_rope(), 1);
  fused_rotate(kept.k, rope, 1);
}

Tensor FusedBlock::forward(const Tensor& input, Kept& kept) const {
  kept.s = input;
  attention_inputs(input, kept);
  keeping.apply(kept.k, kept.v);
  const Attended attended = fused_attend({kept.q, kept.k, kept.v, queries(), keys, h});
  kept.out = attended.out;
  kept.lse = attended.lse;
  const FusedLinears o = linears({Role::kO}, input);
  kept.low_o = o.low(kept.out);
  kept.mid = o.apply(0, kept.out, kept.low_o, pick(input));

  const Normed m = fused_norm(kept.mid, block.mlp_norm, eps);
  kept.inverse2 = m.inverse;
  const FusedLinears mlp = linears({Role::kGate, Role::kUp}, input);
  kept.low_mlp = mlp.low(m.y);
  kept.gate = mlp.apply(0, m.y, kept.low_mlp);
  kept.up = mlp.apply(1, m.y, kept.low_mlp);
  const Tensor act = fused_swiglu(kept.gate, kept.up);
  const FusedLinears down = linears({Role::kDown}, input);
  kept.low_down = down.low(act);
  return down.apply(0, act, kept.low_down, kept.mid);
}

/// A gradient of a norm's weight to add to, if it is wanted.
Tensor norm_gradient(const Tensor& wanted) {
  return wanted.defined() ? at::zeros(wanted.sizes(), wanted.options().dtype(at::kFloat))
                          : Tensor();
}

/// Of the second half: → the gradient of the stream between the halves.
Tensor FusedBlock::mlp_backward(const Kept& kept, const Tensor& d_y, const Block& wanted,
                                Block& grads) const {
  Tensor d_act, d_m;
  linears({Role::kDown}, d_y)
      .backward(fused_swiglu(kept.gate, kept.up), kept.low_down, {d_y}, wanted, grads, &d_act);
  const auto [d_gate, d_up] = fused_swiglu_gradient(kept.gate, kept.up, d_act);
  d_act.reset();
  linears({Role::kGate, Role::kUp}, d_y)
      .backward(fused_norm(kept.mid, block.mlp_norm, eps).y, kept.low_mlp, {d_gate, d_up}, wanted,
                grads, &d_m);
  grads.mlp_norm = norm_gradient(wanted.mlp_norm);
  return fused_norm_gradient(kept.mid, block.mlp_norm, kept.inverse2, d_m, d_y, grads.mlp_norm);
}

Tensor FusedBlock::backward(const Kept& kept, const Tensor& d_y, const Block& wanted,
                            bool input_wanted, Block& grads) const {
  const Tensor d_mid = mlp_backward(kept, d_y, wanted, grads);
  Tensor d_out;
  linears({Role::kO}, d_mid).backward(kept.out, kept.low_o, {d_mid}, wanted, grads, &d_out);
  const auto [d_q, d_k, d_v] = fused_attend_gradient(
      {kept.q, kept.k, kept.v, queries(), lengths, h}, {kept.out, kept.lse}, d_out);
  fused_rotate(d_q, query_rope(), -1);
  fused_rotate(d_k, rope, -1);

  const Tensor n = fused_norm(kept.s, block.attention_norm, eps).y;
  const bool goes_on = input_wanted || wanted.attention_norm.defined();
  Tensor d_n, d_picked;
  of_all_tokens(n).backward(n, kept.low_kv, {d_k, d_v, d_q}, wanted, grads,
                            goes_on ? &d_n : nullptr);
  if (rows)
    linears({Role::kQ}, n)
        .backward(pick(n), kept.low_q, {d_q}, wanted, grads, goes_on ? &d_picked : nullptr);
  if (!goes_on) return {};
  if (rows) d_n.index_add_(0, rows->index, d_picked);
  const Tensor d_stream = rows ? at::zeros_like(kept.s).index_add_(0, rows->index, d_mid) : d_mid;
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
    const std::vector<Tensor*> slots = kept.tensors();
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
