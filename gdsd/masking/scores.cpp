#include "gdsd/masking/scores.h"

#include "gdsd/tensor/vocabulary_head.h"

namespace gdsd {

namespace {

Tensor where_true(const Tensor& mask) { return mask.flatten().nonzero().squeeze(1); }

/// The sequences of all passes that are asked for something, as one batch; indices on the CPU.
struct Batched {
  Packed x;
  Rows rows;
  Tensor asked;   // [R] in [P, B, C]
  Tensor target;  // [R] the tokens hidden there
};

Batched batched(const Views& views, int64_t mask_id) {
  const Packed& x0 = views.rollouts;
  const int64_t B = x0.size(), N = views.hidden.size(1), C = views.weight.size(2);
  const at::Device device = x0.tokens.device();
  Tensor shown = views.asked.any(-1);                 // [P, B]
  if (!shown.any().item<bool>()) shown[0][0] = true;  // a batch is never empty
  const Tensor lengths = to_tensor(x0.lengths);
  const Tensor kept = shown.repeat_interleave(lengths, 1);  // [P, N]
  const Tensor taken = where_true(kept);                    // [tokens of x]

  Batched out;
  const Tensor hidden = views.hidden.flatten().index_select(0, taken).to(device);
  out.x = {x0.tokens.index_select(0, taken.remainder(N).to(device)).masked_fill(hidden, mask_id),
           to_vector<int64_t>(lengths.expand_as(shown).masked_select(shown))};
  out.asked = where_true(views.asked);
  const Tensor completion = tail_rows({views.hidden[0], x0.lengths}, C).flatten();  // [B · C]
  const Tensor token = completion.index_select(0, out.asked.remainder(B * C));
  const Tensor place = kept.flatten().cumsum(0) - 1;  // of every token of [P, N] in x
  const Tensor pass = out.asked.floor_divide(B * C);
  out.rows = {place.index_select(0, token + pass * N).to(device),
              to_vector<int64_t>(views.asked.sum(-1).masked_select(shown))};
  out.target = x0.tokens.index_select(0, token.to(device));
  return out;
}

}  // namespace

Tensor log_probs(const Denoiser& denoiser, const Views& views) {
  const int64_t P = views.asked.size(0), K = views.weight.size(0);
  const Batched b = batched(views, denoiser.vocabulary().mask_id);
  const Tensor states = denoiser.encode(b.x, b.rows);
  const Tensor score = views.score == TokenScore::kLogProb
                           ? log_prob(states, denoiser.head(), b.target)
                           : centred_logit(states, denoiser.head(), b.target);  // [R]
  const Tensor spread = at::zeros({views.asked.numel()}, score.options())
                            .scatter(0, b.asked.to(score.device()), score)
                            .view(views.asked.sizes());  // [P, B, C]
  return P == K ? spread : spread.slice(0, 0, K) + spread.slice(0, K);
}

}  // namespace gdsd
