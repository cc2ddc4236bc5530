#include "gdsd/diagnose/draws.h"

namespace gdsd {

namespace {

/// Passes of the first K views and, where there are complements, theirs: of [P, …], K0 views.
Tensor first_passes(const Tensor& x, int64_t K0, int64_t K) {
  if (x.size(0) == K0) return x.slice(0, 0, K);
  return at::cat({x.slice(0, 0, K), x.slice(0, K0, K0 + K)});
}

}  // namespace

Views first_views(const Views& views, int64_t K) {
  const int64_t K0 = views.weight.size(0);
  return {.rollouts = views.rollouts,
          .hidden = first_passes(views.hidden, K0, K),
          .asked = first_passes(views.asked, K0, K),
          .weight = views.weight.slice(0, 0, K),
          .score = views.score};
}

Batch batch_of(const Draw& draw, const Tensor& log_p, int64_t K) {
  Batch b = draw.batch;
  b.log_p = log_p.slice(0, 0, K);
  b.log_p_old = b.log_p_ref = draw.batch.log_p_old.slice(0, 0, K);
  b.weight = b.weight.slice(0, 0, K);
  return b;
}

Tensor hidden_counts(const Views& views) {
  const int64_t K = views.weight.size(0), P = views.hidden.size(0), C = views.weight.size(2);
  const Tensor completion =
      tail_rows({views.hidden[0], views.rollouts.lengths}, C).flatten();  // [B · C]
  const Tensor hidden = views.hidden.index_select(1, completion).view({P, -1, C}).sum(-1);
  const Tensor counts = views.asked.to(at::kLong) * hidden.unsqueeze(-1);  // [P, B, C]
  return P == K ? counts : counts.slice(0, 0, K) + counts.slice(0, K);
}

}  // namespace gdsd
