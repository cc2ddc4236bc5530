#include "gdsd/tensor/vocabulary_head.h"

#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>

#include "gdsd/tensor/gpu_kernels.h"

namespace gdsd {

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/// Calls cpu(KernelsOf<T>, row) for every row of logits [r, V], on threads, or gpu(GpuKernels).
template <class Cpu, class Gpu>
void over_logits(const Tensor& logits, Cpu&& cpu, Gpu&& gpu) {
  auto rows = [&](const auto& k) {
    at::parallel_for(0, logits.size(0), 1 + (1 << 14) / logits.size(1),
                     [&](int64_t begin, int64_t end) {
                       for (int64_t r = begin; r < end; ++r) cpu(k, r);
                     });
  };
  with_kernels(logits, rows, gpu);
}

/// (log z_target − log Σ exp z, log Σ exp z) of logits z = h Wᵀ: [r] float32 or wider each.
std::pair<Tensor, Tensor> log_prob_tile(TileLogits& tile, const Tensor& hidden,
                                        const Tensor& weight, const Tensor& target) {
  if (!kernels_take(hidden)) {
    const Tensor logits = wide_logits(hidden, weight);  // [r, V]
    const Tensor at_target = logits.gather(1, target.unsqueeze(1)).squeeze(1);
    const Tensor log_z = logits.logsumexp(-1);
    return {at_target - log_z, log_z};
  }
  const Tensor logits = tile(hidden);
  const Tensor log_p = at::empty({hidden.size(0)}, hidden.options().dtype(at::kFloat));
  const Tensor log_z = at::empty_like(log_p);
  const Tensor z = logits.is_cpu() ? logits.gather(1, target.unsqueeze(1)).to(at::kFloat) : log_p;
  auto row = [&](const auto& k, int64_t r) {
    const int64_t V = logits.size(1);
    const float sum = k.table.summarise(k.of(logits) + r * V, V, /*entropy=*/false).log_z;
    log_z.template mutable_data_ptr<float>()[r] = sum;
    log_p.template mutable_data_ptr<float>()[r] = z.template const_data_ptr<float>()[r] - sum;
  };
  over_logits(logits, row, [&](const GpuKernels& k) { k.log_probs(logits, target, log_z, log_p); });
  return {log_p, log_z};
}

/// The gradient of logits, (1{v = target} − p_v) g, in the type of `hidden`: [r, V].
Tensor logits_gradient(TileLogits& tile, const Tensor& hidden, const Tensor& weight,
                       const Tensor& target, const Tensor& log_z, const Tensor& grad) {
  if (!kernels_take(hidden)) {
    const Tensor g = grad.unsqueeze(1);
    Tensor d = wide_logits(hidden, weight);            // [r, V]
    d.sub_(log_z.unsqueeze(1)).exp_().mul_(g).neg_();  // −p g
    d.scatter_add_(1, target.unsqueeze(1), g.to(d.scalar_type()));
    return d.to(hidden.scalar_type());
  }
  const Tensor logits = tile(hidden);
  const Tensor g = grad.to(at::kFloat).contiguous();
  auto row = [&](const auto& k, int64_t r) {
    const int64_t V = logits.size(1);
    k.table.log_prob_gradient(k.of(logits) + r * V, V, log_z.template const_data_ptr<float>()[r],
                              target.template const_data_ptr<int64_t>()[r],
                              g.template const_data_ptr<float>()[r]);
  };
  over_logits(logits, row,
              [&](const GpuKernels& k) { k.log_probs_gradient(logits, log_z, target, g); });
  return logits;
}

struct LogProb : torch::autograd::Function<LogProb> {
  static Tensor forward(AutogradContext* ctx, const Tensor& hidden, const Tensor& weight,
                        const Tensor& target, int64_t tile) {
    std::vector<Tensor> log_p, log_z;
    TileLogits logits(weight);
    for_each_tile(hidden.size(0), weight.size(0), tile, [&](int64_t begin, int64_t end) {
      const auto [p, z] =
          log_prob_tile(logits, hidden.slice(0, begin, end), weight, target.slice(0, begin, end));
      log_p.push_back(p);
      log_z.push_back(z);
    });
    ctx->save_for_backward({hidden, weight, target, at::cat(log_z)});
    ctx->saved_data["tile"] = tile;
    return at::cat(log_p);
  }

  // d log p_y = (1{v = y} − p_v) d logit_v
  static variable_list backward(AutogradContext* ctx, const variable_list& grads) {
    const auto saved = ctx->get_saved_variables();
    const Tensor &hidden = saved[0], &weight = saved[1], &target = saved[2], &log_z = saved[3];
    std::vector<Tensor> d_hidden;
    Tensor d_weight;
    TileLogits logits(weight);
    for_each_tile(hidden.size(0), weight.size(0), ctx->saved_data["tile"].toInt(),
                  [&](int64_t begin, int64_t end) {
                    auto rows = [&](const Tensor& x) { return x.slice(0, begin, end); };
                    const Tensor d = logits_gradient(logits, rows(hidden), weight, rows(target),
                                                     rows(log_z), rows(grads[0]));
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
  return LogProb::apply(hidden, weight, target, fitting_tile(hidden, tile));
}

Tensor centred_logit(const Tensor& hidden, const Tensor& weight, const Tensor& target) {
  const auto wide = at::promote_types(hidden.scalar_type(), at::kFloat);
  const Tensor centred = weight.index_select(0, target).to(wide) - weight.to(wide).mean(0);
  return (hidden.to(wide) * centred).sum(-1);
}

}  // namespace gdsd
