#include "gdsd/denoiser/gpu_attention.h"

#include <cmath>

namespace gdsd {

namespace {

/// One sequence: q [n, H, h], k and v [m, H, h] with keys repeated for the queries that share them,
/// and p [H, n, m] = softmax(q kᵀ/√h), in float32.
struct Sequence {
  Tensor q, k, v, p, lse;  // lse [H, n]
  int64_t q_at = 0, k_at = 0, n = 0, m = 0;
};

template <class F>
void over_sequences(const AttendedBy& by, F&& body) {
  const int64_t group = by.q.size(1) / by.k.size(1);
  auto heads = [&](const Tensor& x, int64_t at, int64_t rows) {  // [H, rows, h]
    return x.slice(0, at, at + rows).to(at::kFloat).unflatten(1, {-1, by.h}).transpose(0, 1);
  };
  auto shared = [&](const Tensor& x, int64_t at, int64_t rows) {
    return heads(x, at, rows).repeat_interleave(group, 0);
  };
  Sequence s;
  for (size_t b = 0; b < by.keys.size(); ++b, s.q_at += s.n, s.k_at += s.m) {
    s.n = by.queries[b], s.m = by.keys[b];
    s.q = heads(by.q, s.q_at, s.n);
    s.k = shared(by.k, s.k_at, s.m);
    s.v = shared(by.v, s.k_at, s.m);
    const Tensor scores = s.q.matmul(s.k.transpose(1, 2)) / std::sqrt(static_cast<double>(by.h));
    s.lse = scores.logsumexp(-1);
    s.p = (scores - s.lse.unsqueeze(-1)).exp();
    body(s);
  }
}

/// x [H, rows, h] into rows of `to`, those of one head of keys added up.
void put(const Tensor& to, int64_t at, const Tensor& x, int64_t group) {
  const Tensor heads = x.unflatten(0, {-1, group}).sum(1);
  to.slice(0, at, at + x.size(1)).copy_(heads.transpose(0, 1).flatten(1));
}

}  // namespace

Attended gpu_attend(const AttendedBy& by) {
  const int64_t H = by.q.size(1) / by.h;
  const Attended to{at::empty_like(by.q),
                    at::empty({by.q.size(0), H}, by.q.options().dtype(at::kFloat))};
  over_sequences(by, [&](const Sequence& s) {
    put(to.out, s.q_at, s.p.matmul(s.v), 1);
    to.lse.slice(0, s.q_at, s.q_at + s.n).copy_(s.lse.t());
  });
  return to;
}

// With δ = Σ d_out out: d_v = pᵀ d_out, d_s = p (d_out vᵀ − δ), d_q = d_s k/√h, d_k = d_sᵀ q/√h.
std::array<Tensor, 3> gpu_attend_gradient(const AttendedBy& by, const Attended&,
                                          const Tensor& d_out) {
  const int64_t group = by.q.size(1) / by.k.size(1);
  const double scale = 1 / std::sqrt(static_cast<double>(by.h));
  std::array<Tensor, 3> to{at::empty_like(by.q), at::empty_like(by.k), at::empty_like(by.v)};
  over_sequences(by, [&](const Sequence& s) {
    const Tensor d = d_out.slice(0, s.q_at, s.q_at + s.n)
                         .to(at::kFloat)
                         .unflatten(1, {-1, by.h})
                         .transpose(0, 1);  // [H, n, h]
    const Tensor delta = (d * s.p.matmul(s.v)).sum(-1, /*keepdim=*/true);
    const Tensor d_s = s.p * (d.matmul(s.v.transpose(1, 2)) - delta) * scale;
    put(to[0], s.q_at, d_s.matmul(s.k), 1);
    put(to[1], s.k_at, d_s.transpose(1, 2).matmul(s.q), group);
    put(to[2], s.k_at, s.p.transpose(1, 2).matmul(d), group);
  });
  return to;
}

}  // namespace gdsd
