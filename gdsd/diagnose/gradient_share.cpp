#include "gdsd/diagnose/gradient_share.h"

namespace gdsd {

namespace {

/// What Shares are shares of.
struct Sums {
  Tensor by_count = at::zeros({kBins}, at::kDouble);  // [kBins]
  double after_eos = 0;

  /// x, bin [K, B, C]; after [B, C] bool.
  void add(const Tensor& x, const Tensor& bin, const Tensor& after) {
    by_count.index_add_(0, bin.flatten(), x.flatten());
    after_eos += (x * after).sum().item<double>();
  }
  Shares shares() const {
    const double all = by_count.sum().item<double>();
    return {.by_count = to_vector<double>(by_count / all), .after_eos = after_eos / all};
  }
};

struct GradientSums {
  Sums loss_weight, gradient;

  /// → the batch's loss.
  Loss add(Batch batch, const Tensor& bin, TokenScore score, const ObjectiveOptions& objective) {
    batch.log_p = batch.log_p.detach().clone().requires_grad_();
    Loss l = loss(batch, objective);
    l.sum.backward();
    const Tensor weight = batch.log_p.grad().abs().to(at::kCPU, at::kDouble);  // [K, B, C]
    const Tensor after = batch.completion.cpu().logical_not();
    loss_weight.add(weight, bin, after);
    // log p is 0 where nothing was asked, and so is the weight.
    const Tensor rest = -batch.log_p.detach().to(at::kCPU, at::kDouble).expm1();  // 1 − p
    gradient.add(score == TokenScore::kLogProb ? weight * rest : weight, bin, after);
    return l;
  }
  GradientShare shares() const { return {loss_weight.shares(), gradient.shares()}; }
};

}  // namespace

LossFigures loss_figures(std::span<const Draw> draws, int64_t K, const ObjectiveOptions& objective,
                         const Tensor& advantage) {
  GradientSums old, present;
  Tensor tokens = at::zeros({kBins}, at::kDouble);
  double clipped = 0, count = 0;
  bool clips = false;
  for (const Draw& draw : draws) {
    const Tensor hidden = hidden_counts(first_views(draw.views, K));  // [K, B, C]
    const Tensor bin = (hidden * kBins - 1).clamp_min(0).floor_divide(hidden.size(-1));
    tokens.index_add_(0, bin.flatten(), (hidden > 0).flatten().to(at::kDouble));
    old.add(batch_of(draw, draw.batch.log_p_old, K), bin, draw.views.score, objective);
    Batch batch = batch_of(draw, draw.log_p_new, K);
    batch.advantage = advantage.to(batch.advantage.options());
    const Loss l = present.add(batch, bin, draw.views.score, objective);
    const auto found = l.metrics.find("clipped");
    count += l.count;
    if (found == l.metrics.end()) continue;
    clips = true;
    clipped += found->second.item<double>();
  }
  LossFigures out{.old = old.shares(),
                  .present = present.shares(),
                  .tokens = to_vector<double>(tokens / tokens.sum()),
                  .clipped = {}};
  if (clips) out.clipped = clipped / std::max(count, 1.0);
  return out;
}

}  // namespace gdsd
