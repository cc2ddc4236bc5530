#include "gdsd/sampler/sampler.h"

#include <c10/core/GradMode.h>

#include "gdsd/tensor/random.h"

namespace gdsd {

namespace {

/// Every prompt followed by C masks.
Packed append_masks(const Packed& prompts, int64_t C, int64_t mask_id) {
  std::vector<Tensor> parts;
  Packed x;
  int64_t begin = 0;
  for (int64_t P : prompts.lengths) {
    parts.push_back(prompts.tokens.slice(0, begin, begin + P));
    parts.push_back(at::full({C}, mask_id, prompts.tokens.options()));
    x.lengths.push_back(P + C);
    begin += P;
  }
  x.tokens = at::cat(parts);
  return x;
}

/// The states of `rows`, moved away from those of the same completion with its prompt hidden.
/// The head is linear, so guiding states is guiding logits: l + s (l − l without prompt).
Tensor guided_states(const Denoiser& denoiser, const Packed& x, const Rows& rows, int64_t C,
                     double scale) {
  Tensor states = denoiser.encode(x, rows);  // [R, D]
  if (scale == 0.0) return states;
  Packed promptless{at::full_like(x.tokens, denoiser.vocabulary().mask_id), x.lengths};
  Tensor completion = tail_rows(x, C).flatten();
  promptless.tokens.index_copy_(0, completion, x.tokens.index_select(0, completion));
  return states + scale * (states - denoiser.encode(promptless, rows));
}

/// One stream per row of hidden [B, H], named by rollout, step and position: never by batch.
std::vector<Key> row_keys(std::span<const Key> rollouts, const Tensor& hidden, int64_t step) {
  std::vector<Key> keys;
  const auto position = hidden.accessor<int64_t, 2>();
  for (int64_t b = 0; b < hidden.size(0); ++b) {
    const Key row = rollouts[b].fork("step", step);
    for (int64_t h = 0; h < hidden.size(1); ++h)
      keys.push_back(row.fork("position", position[b][h]));
  }
  return keys;
}

}  // namespace

void SamplerOptions::validate() const {
  check_field(gen_length > 0, "gen_length", "must be positive, got ", gen_length, ".");
  check_field(block_length > 0 && gen_length % block_length == 0, "block_length", block_length,
              " does not divide gen_length ", gen_length, ".");
  const int64_t blocks = gen_length / block_length;
  check_field(steps > 0 && steps % blocks == 0, "steps", "got ", steps,
              ", expected a multiple of the ", blocks, " blocks (gen_length / block_length).");
  check_field(steps / blocks <= block_length, "steps", "got ", steps, ", more than the ",
              gen_length, " tokens there are to reveal.");
  check_field(temperature >= 0, "temperature", "must not be negative, got ", temperature, ".");
}

Tensor confidence(const Proposal& proposal, Remasking remasking, std::span<const Key> keys) {
  switch (remasking) {
    case Remasking::kLowConfidence: return proposal.log_p;
    case Remasking::kEntropy: return -proposal.entropy;
    case Remasking::kMargin: return proposal.margin;
    case Remasking::kRandom: {
      std::vector<Key> streams;
      for (Key key : keys) streams.push_back(key.fork("remask"));
      return uniform(streams, 1).squeeze(1);
    }
  }
  throw std::logic_error("[confidence] unhandled Remasking");
}

std::vector<int64_t> keep_counts(int64_t hidden, int64_t steps) {
  std::vector<int64_t> counts(steps, hidden / steps);
  for (int64_t s = 0; s < hidden % steps; ++s) ++counts[s];
  return counts;
}

Samples sample(const Denoiser& denoiser, const Packed& prompts, const SamplerOptions& o,
               std::span<const Key> keys) {
  const int64_t B = prompts.size(), C = o.gen_length;
  check(static_cast<int64_t>(keys.size()) == B, "[sample] got ", keys.size(), " keys for ", B,
        " prompts.");
  o.validate();
  const int64_t blocks = C / o.block_length;
  const auto keep = keep_counts(o.block_length, o.steps / blocks);

  at::NoGradGuard no_grad;
  const Vocabulary& vocabulary = denoiser.vocabulary();
  const std::array banned{vocabulary.mask_id};
  Packed x = append_masks(prompts, C, vocabulary.mask_id);
  const Tensor completion = tail_rows(x, C).cpu();  // [B, C]
  const at::Device device = x.tokens.device();
  Tensor kept_at = at::full({B, C}, -1, completion.options());  // [B, C]

  for (int64_t block = 0; block < blocks; ++block) {
    // The H positions of this block that are still hidden; every row loses keep[s] at step s.
    Tensor hidden = at::arange(block * o.block_length, (block + 1) * o.block_length);
    hidden = hidden.expand({B, o.block_length}).contiguous();  // [B, H]

    for (size_t s = 0; s < keep.size(); ++s) {
      const auto step = static_cast<int64_t>(block * keep.size() + s);
      const auto draws = row_keys(keys, hidden, step);  // [R], R = B · H
      const Rows rows{completion.gather(1, hidden).flatten().to(device),
                      std::vector<int64_t>(B, hidden.size(1))};
      const Tensor states = guided_states(denoiser, x, rows, C, o.cfg_scale);
      const Proposal x0 = propose(states, denoiser.head(), o.temperature, draws, banned);

      // Stable, so that equal scores resolve left to right on every device.
      const Tensor order = confidence(x0, o.remasking, draws)
                               .cpu()
                               .view_as(hidden)
                               .argsort(/*stable=*/true, /*dim=*/-1, /*descending=*/true);
      const Tensor best = order.slice(1, 0, keep[s]), rest = order.slice(1, keep[s]);

      const Tensor kept = hidden.gather(1, best);  // [B, keep[s]]
      x.tokens.index_copy_(0, completion.gather(1, kept).flatten().to(device),
                           x0.token.cpu().view_as(hidden).gather(1, best).flatten().to(device));
      kept_at.scatter_(1, kept, step);
      hidden = std::get<0>(hidden.gather(1, rest).sort(-1));
    }
  }
  return {.sequences = x, .step = kept_at};
}

}  // namespace gdsd
