#include "gdsd/tensor/vocabulary_head.h"

#include <torch/csrc/autograd/custom_function.h>

namespace gdsd {

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

struct LogProb : torch::autograd::Function<LogProb> {
  static Tensor forward(AutogradContext* ctx, const Tensor& hidden, const Tensor& weight,
                        const Tensor& target, int64_t tile) {
    std::vector<Tensor> log_p, log_z;
    for_each_tile(hidden.size(0), weight.size(0), tile, [&](int64_t begin, int64_t end) {
      const Tensor logits = wide_logits(hidden.slice(0, begin, end), weight);  // [r, V]
      const Tensor at_target = logits.gather(1, target.slice(0, begin, end).unsqueeze(1));
      log_z.push_back(logits.logsumexp(-1));                 // [r]
      log_p.push_back(at_target.squeeze(1) - log_z.back());  // [r]
    });
    ctx->save_for_backward({hidden, weight, target, at::cat(log_z)});
    ctx->saved_data["tile"] = tile;
    return at::cat(log_p);
  }

  // d log p_y = (1{v = y} − p_v) d logit_v
  static variable_list backward(AutogradContext* ctx, const variable_list& grads) {
    const auto saved = ctx->get_saved_variables();
    const Tensor &hidden = saved[0], &weight = saved[1], &target = saved[2], &log_z = saved[3];
    const Tensor grad = grads[0].unsqueeze(1);  // [R, 1]
    std::vector<Tensor> d_hidden;
    Tensor d_weight;
    for_each_tile(hidden.size(0), weight.size(0), ctx->saved_data["tile"].toInt(),
                  [&](int64_t begin, int64_t end) {
                    auto rows = [&](const Tensor& x) { return x.slice(0, begin, end); };
                    const Tensor g = rows(grad);
                    Tensor d = wide_logits(rows(hidden), weight);            // [r, V]
                    d.sub_(rows(log_z).unsqueeze(1)).exp_().mul_(g).neg_();  // −p g
                    d.scatter_add_(1, rows(target).unsqueeze(1), g.to(d.scalar_type()));
                    d = d.to(hidden.scalar_type());
                    if (ctx->needs_input_grad(0)) d_hidden.push_back(d.matmul(weight));
                    if (!ctx->needs_input_grad(1)) return;
                    // Summed in float32: dozens of tiles would be lost in bfloat16.
                    const Tensor part = d.t().matmul(rows(hidden)).to(log_z.scalar_type());
                    d_weight = d_weight.defined() ? d_weight.add_(part) : part;  // [V, D]
                  });
    if (d_weight.defined()) d_weight = d_weight.to(weight.scalar_type());
    return {d_hidden.empty() ? Tensor() : at::cat(d_hidden), d_weight, Tensor(), Tensor()};
  }
};

}  // namespace

Tensor log_prob(const Tensor& hidden, const Tensor& weight, const Tensor& target, int64_t tile) {
  return LogProb::apply(hidden, weight, target, tile);
}

Tensor centred_logit(const Tensor& hidden, const Tensor& weight, const Tensor& target) {
  const auto wide = at::promote_types(hidden.scalar_type(), at::kFloat);
  const Tensor centred = weight.index_select(0, target).to(wide) - weight.to(wide).mean(0);
  return (hidden.to(wide) * centred).sum(-1);
}

}  // namespace gdsd
