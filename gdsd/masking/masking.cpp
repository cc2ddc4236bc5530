#include "gdsd/masking/masking.h"

#include <cmath>

#include "gdsd/base/random.h"
#include "gdsd/tensor/vocabulary_head.h"

namespace gdsd {

namespace {

/// Of a token that is hidden together with x − 1 others, 0 < x ≤ C.
double token_weight(int64_t x, int64_t C, const MaskingOptions& o) {
  const double pass = o.coupled ? 0.5 : 1.0;  // both passes of a pair estimate the same
  switch (o.weight) {
    case TokenWeight::kUniform: return pass;
    case TokenWeight::kElbo: return pass * static_cast<double>(C + 1) / static_cast<double>(x);
    case TokenWeight::kMean: return pass / static_cast<double>(x);
  }
  throw std::logic_error("[mask] unhandled TokenWeight");
}

/// [K, N] → [K, B, C]: the completion part of a mask over all tokens.
Tensor of_completions(const Tensor& hidden, const Tensor& completion) {
  const Tensor index = completion.flatten().to(hidden.device());
  return hidden.index_select(1, index).view({hidden.size(0), completion.size(0), -1});
}

}  // namespace

std::vector<int64_t> mask_counts(int64_t C, int64_t b, int64_t k) {
  // torch.linspace(k, k + (b − 1)(C + 1)/b, b) in float32: from both ends towards the middle.
  const auto first = static_cast<float>(k);
  const auto span = static_cast<float>(static_cast<double>((b - 1) * (C + 1)) / b);
  const float last = first + span;
  const float step = b > 1 ? (last - first) / static_cast<float>(b - 1) : 0.0f;
  std::vector<int64_t> counts;
  for (int64_t i = 0; i < b; ++i) {
    const float v = i < b / 2 ? first + step * static_cast<float>(i)
                              : last - step * static_cast<float>(b - 1 - i);
    counts.push_back(static_cast<int64_t>(std::nearbyint(v)) % (C + 1));  // half to even
  }
  return counts;
}

Views mask(const Packed& rollouts, int64_t C, const MaskingOptions& o, int64_t G, Key key) {
  const int64_t B = rollouts.size(), N = rollouts.tokens.size(0);
  check(B % G == 0, "[mask] ", B, " rollouts are not whole groups of ", G, ".");
  check(o.least >= 0 && o.least <= C, "[mask] cannot hide at least ", o.least, " of ", C,
        " tokens.");
  Views views{.rollouts = rollouts,
              .hidden = at::zeros({o.views, N}, at::kBool),
              .coupled = o.coupled,
              .weight = at::zeros({o.views, B, C}, at::kDouble)};
  const auto offsets = rollouts.offsets();
  auto hidden = views.hidden.accessor<bool, 2>();
  auto weight = views.weight.accessor<double, 3>();

  for (int64_t v = 0; v < o.views; ++v)
    for (int64_t g = 0; g < B / G; ++g) {
      const Key view = key.fork("view", v);
      const int64_t most = C - o.least;  // beyond the least
      const auto counts = mask_counts(most, G, below(view.fork("group", g), 0, most + 1));
      for (int64_t b = g * G; b < (g + 1) * G; ++b) {
        const int64_t x = o.least + counts[b - g * G];
        const auto order = permutation(view.fork("row", b), C);
        for (int64_t i = 0; i < C; ++i) {
          if (i < x) hidden[v][offsets[b + 1] - C + order[i]] = true;
          if (i < x) weight[v][b][order[i]] = token_weight(x, C, o);
          if (i >= x && o.coupled) weight[v][b][order[i]] = token_weight(C - x, C, o);
        }
      }
    }
  return views;
}

Views slice(const Views& views, int64_t begin, int64_t end) {
  const auto at = views.rollouts.offsets();
  return {.rollouts = slice(views.rollouts, begin, end),
          .hidden = views.hidden.slice(1, at[begin], at[end]),
          .coupled = views.coupled,
          .weight = views.weight.slice(1, begin, end)};
}

Tensor log_probs(const Denoiser& denoiser, const Views& views) {
  const Packed& x0 = views.rollouts;
  const int64_t K = views.hidden.size(0), N = views.hidden.size(1), B = x0.size(),
                C = views.weight.size(2);
  const Tensor completion = tail_rows(x0, C);  // [B, C]

  // All passes of all views are one batch: [P, N], P = K or 2K.
  Tensor passes = views.hidden, asked = of_completions(views.hidden, completion);  // [P, B, C]
  if (views.coupled) {
    Tensor all = at::zeros({N}, at::kBool);
    all.index_fill_(0, completion.flatten().cpu(), true);
    passes = at::cat({passes, all.unsqueeze(0).logical_and(passes.logical_not())});
    asked = at::cat({asked, asked.logical_not()});
  }
  const int64_t P = passes.size(0);
  Packed x{at::where(passes.to(x0.tokens.device()), denoiser.vocabulary().mask_id,
                     x0.tokens.unsqueeze(0))
               .flatten(),
           {}};
  for (int64_t p = 0; p < P; ++p)
    x.lengths.insert(x.lengths.end(), x0.lengths.begin(), x0.lengths.end());

  const Tensor chosen = asked.to(completion.device());
  const Tensor pass = at::arange(P, completion.options()).view({P, 1, 1});
  const Rows rows{(completion.unsqueeze(0) + pass * N).masked_select(chosen),
                  to_vector<int64_t>(asked.sum(-1))};
  const Tensor target = x0.tokens.index_select(0, completion.flatten())
                            .view({1, B, C})
                            .expand({P, B, C})
                            .masked_select(chosen);  // [R]

  const Tensor log_p = log_prob(denoiser.encode(x, rows), denoiser.head(), target);  // [R]
  const Tensor spread = at::zeros({P, B, C}, log_p.options()).masked_scatter(chosen, log_p);
  return views.coupled ? spread.slice(0, 0, K) + spread.slice(0, K) : spread;
}

}  // namespace gdsd
