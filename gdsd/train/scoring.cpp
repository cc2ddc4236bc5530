#include "gdsd/train/scoring.h"

#include <c10/core/GradMode.h>

#include "gdsd/tensor/workers.h"

namespace gdsd {

namespace {

Tensor score_without_gradient(const Denoiser& denoiser, const Views& views, int64_t micro) {
  const int64_t B = views.rollouts.size(), pieces = (B + micro - 1) / micro, W = denoiser.workers();
  std::vector<Tensor> parts(pieces);
  run_workers(W, [&](int64_t w) {
    at::NoGradGuard no_grad;
    for (int64_t i = w; i < pieces; i += W)
      parts[i] = log_probs(denoiser, slice(views, i * micro, std::min(B, (i + 1) * micro)));
  });
  return at::cat(parts, 1);  // [K, B, C]
}

}  // namespace

Scored score_views(const Denoiser* old, const Denoiser* reference, const Views& views,
                   int64_t micro) {
  Scored out{.views = views, .batch = {}};
  if (old) out.batch.log_p_old = score_without_gradient(*old, views, micro);
  if (reference) out.batch.log_p_ref = score_without_gradient(*reference, views, micro);
  out.batch.weight = views.weight.to(views.rollouts.tokens.options().dtype(at::kFloat));
  return out;
}

std::vector<Scored> split(const Scored& all, int64_t micro) {
  std::vector<Scored> parts;
  const int64_t B = all.views.rollouts.size();
  for (int64_t begin = 0; begin < B; begin += micro) {
    const int64_t end = std::min(B, begin + micro);
    auto rows = [&](const Tensor& x, int64_t dim) {
      return x.defined() ? x.slice(dim, begin, end) : x;
    };
    const Batch& b = all.batch;
    parts.push_back({slice(all.views, begin, end),
                     {.log_p = {},
                      .log_p_old = rows(b.log_p_old, 1),
                      .log_p_ref = rows(b.log_p_ref, 1),
                      .weight = rows(b.weight, 1),
                      .completion = rows(b.completion, 0),
                      .advantage = rows(b.advantage, 0),
                      .elbo_old = rows(b.elbo_old, 0)}});
  }
  return parts;
}

Tensor score_rollouts(const Denoiser& denoiser, const Views& views, int64_t micro) {
  const Tensor log_p = score_without_gradient(denoiser, views, micro).to(at::kCPU, at::kDouble);
  return (views.weight * log_p).sum(-1).mean(0);
}

}  // namespace gdsd
