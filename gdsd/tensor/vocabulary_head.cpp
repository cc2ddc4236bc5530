#include "gdsd/tensor/vocabulary_head.h"

#include <torch/csrc/autograd/custom_function.h>

#include <limits>

#include "gdsd/tensor/random.h"

namespace gdsd {

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/// Calls body(begin, end) for runs of rows whose logits fit a tile; once if there are no rows.
template <class F>
void for_each_tile(int64_t R, int64_t V, int64_t tile, F&& body) {
  const int64_t rows = std::max<int64_t>(1, tile / V);
  int64_t begin = 0;
  do {
    body(begin, std::min(R, begin + rows));
    begin += rows;
  } while (begin < R);
}

/// hidden [r, D], weight [V, D] → [r, V] in float32, or float64 if the model is.
Tensor wide_logits(const Tensor& hidden, const Tensor& weight) {
  const Tensor logits = hidden.matmul(weight.t());
  return logits.scalar_type() == at::kDouble ? logits : logits.to(at::kFloat);
}

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
                    const Tensor part = d.t().matmul(rows(hidden));  // [V, D]
                    d_weight = d_weight.defined() ? d_weight + part : part;
                  });
    return {d_hidden.empty() ? Tensor() : at::cat(d_hidden), d_weight, Tensor(), Tensor()};
  }
};

Proposal propose_tile(const Tensor& logits, double temperature, std::span<const Key> keys,
                      std::span<const int64_t> banned) {
  const Tensor log_p = logits.log_softmax(-1), p = log_p.exp();  // [r, V]
  for (int64_t id : banned) logits.select(1, id).fill_(-std::numeric_limits<float>::infinity());
  Tensor noisy = logits;
  if (temperature > 0) {
    // argmax of l/T + Gumbel noise samples softmax(l/T). In float64: with less, the noise is
    // truncated and the effective temperature drops (Zheng et al., arXiv:2409.02908).
    const Tensor u = uniform(keys, logits.size(1));  // [r, V]
    const Tensor gumbel = u.log().neg_().log_().neg_();
    noisy = logits.to(at::kDouble) / temperature + gumbel.to(logits.device());
  }
  const Tensor token = noisy.argmax(-1);  // [r], the lowest id on ties
  const Tensor two = std::get<0>(p.topk(std::min<int64_t>(2, p.size(1)), -1));
  return {.token = token,
          .log_p = log_p.gather(-1, token.unsqueeze(-1)).squeeze(-1),
          .entropy = -at::xlogy(p, p).sum(-1),
          .margin = two.select(-1, 0) - two.select(-1, two.size(1) - 1)};
}

}  // namespace

Tensor log_prob(const Tensor& hidden, const Tensor& weight, const Tensor& target, int64_t tile) {
  return LogProb::apply(hidden, weight, target, tile);
}

Proposal propose(const Tensor& hidden, const Tensor& weight, double temperature,
                 std::span<const Key> keys, std::span<const int64_t> banned, int64_t tile) {
  const int64_t R = hidden.size(0);
  check(static_cast<int64_t>(keys.size()) == R, "[propose] got ", keys.size(), " keys for ", R,
        " rows.");
  std::vector<Tensor> token, log_p, entropy, margin;
  for_each_tile(R, weight.size(0), tile, [&](int64_t begin, int64_t end) {
    const Proposal part = propose_tile(wide_logits(hidden.slice(0, begin, end), weight),
                                       temperature, keys.subspan(begin, end - begin), banned);
    token.push_back(part.token);
    log_p.push_back(part.log_p);
    entropy.push_back(part.entropy);
    margin.push_back(part.margin);
  });
  return {at::cat(token), at::cat(log_p), at::cat(entropy), at::cat(margin)};
}

}  // namespace gdsd
