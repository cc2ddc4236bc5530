#include "gdsd/rollout/rollout.h"

#include "gdsd/tensor/workers.h"

namespace gdsd {

namespace {

/// The prompts of B rollouts, G for each problem.
Packed prompt_rows(const std::vector<std::vector<int64_t>>& encoded, int64_t G, int64_t B,
                   at::Device device) {
  Packed prompts;
  std::vector<int64_t> tokens;
  for (int64_t b = 0; b < B; ++b) {
    const auto& ids = encoded[b / G];
    tokens.insert(tokens.end(), ids.begin(), ids.end());
    prompts.lengths.push_back(static_cast<int64_t>(ids.size()));
  }
  prompts.tokens = to_tensor(tokens, device);
  return prompts;
}

/// Brings every prompt to the length of the longest with `pad` on the left.
void pad_left(std::vector<std::vector<int64_t>>& prompts, int64_t pad) {
  size_t longest = 0;
  for (const auto& ids : prompts) longest = std::max(longest, ids.size());
  for (auto& ids : prompts) ids.insert(ids.begin(), longest - ids.size(), pad);
}

Attempt attempt(const Example& problem, const Tokenizer& tokenizer, const Tensor& tokens,
                int64_t eos) {
  const auto ids = to_vector<int64_t>(tokens);
  const auto end = std::find(ids.begin(), ids.end(), eos);
  return {.example = &problem,
          .completion = tokenizer.decode({ids.begin(), end}),
          .generation = tokenizer.decode(ids, SpecialTokens::kKeep)};
}

/// The completion [C] that exact sampling makes with the same key.
Tensor exact_answer(const Denoiser& denoiser, const std::vector<int64_t>& prompt,
                    const SamplerOptions& options, Key key) {
  const Packed x{to_tensor(prompt, denoiser.head().device()),
                 {static_cast<int64_t>(prompt.size())}};
  const Samples samples = sample(denoiser, x, options.exact(), {&key, 1});
  return samples.sequences.tokens.slice(0, x.lengths[0]).cpu();
}

/// The share of tokens, up to the first EOS of either, that are equal: a, b [C].
double agreement(const Tensor& a, const Tensor& b, int64_t eos) {
  const Tensor counted = until_eos(a, eos).logical_or(until_eos(b, eos));
  return (a == b).masked_select(counted).to(at::kDouble).mean().item<double>();
}

}  // namespace

void RolloutOptions::validate() const {
  constexpr int64_t kMost = 1'000'000;  // rollouts of a step
  check_count(prompts, "prompts", 1, kMost);
  check_count(group_size, "group_size", 1, kMost);
  check_field(prompts * group_size <= kMost, "prompts", prompts, " problems × ", group_size,
              " rollouts are ", prompts * group_size, ", expected at most ", kMost, ".");
  check_count(batch, "batch", 0, kMost);
  check_count(audit, "audit", 0, kMost);
}

Tensor until_eos(const Tensor& tokens, int64_t eos) {
  const Tensor is_eos = tokens == eos;
  return (is_eos.cumsum(-1) - is_eos.to(at::kLong)) == 0;
}

Samples sample_in_pieces(const Denoiser& denoiser, const Packed& prompts,
                         const SamplerOptions& options, std::span<const Key> keys, int64_t most) {
  // Pieces of at most `most` rollouts, dealt to the workers.
  const int64_t B = prompts.size(), W = std::min(denoiser.workers(), B), share = (B + W - 1) / W,
                batch = most > 0 ? std::min(most, share) : share, pieces = (B + batch - 1) / batch;
  std::vector<Samples> samples(pieces);
  run_workers(W, [&](int64_t w) {
    for (int64_t i = w; i < pieces; i += W) {
      const int64_t begin = i * batch, end = std::min(B, begin + batch);
      samples[i] =
          sample(denoiser, slice(prompts, begin, end), options, keys.subspan(begin, end - begin));
    }
  });
  Samples out;
  std::vector<Tensor> tokens, steps;
  for (const Samples& part : samples) {
    tokens.push_back(part.sequences.tokens);
    steps.push_back(part.step);
    out.sequences.lengths.insert(out.sequences.lengths.end(), part.sequences.lengths.begin(),
                                 part.sequences.lengths.end());
  }
  out.sequences.tokens = at::cat(tokens);
  out.step = at::cat(steps);
  return out;
}

Rollouts rollout(const Denoiser& denoiser, const Tokenizer& tokenizer,
                 std::span<const Example> problems, const RolloutOptions& o, Key key,
                 int64_t first) {
  const at::Device device = denoiser.head().device();
  const int64_t G = o.group_size, B = static_cast<int64_t>(problems.size()) * G,
                C = o.sampler.gen_length, eos = denoiser.vocabulary().eos_id;
  std::vector<std::vector<int64_t>> prompts;
  for (const Example& problem : problems) prompts.push_back(tokenizer.encode(problem.prompt));
  if (o.padding == Padding::kAttended) pad_left(prompts, denoiser.vocabulary().pad_id);
  std::vector<Key> keys;
  for (int64_t b = 0; b < B; ++b)
    keys.push_back(key.fork("problem", first + b / G).fork("rollout", b % G));

  auto [sequences, step] =
      sample_in_pieces(denoiser, prompt_rows(prompts, G, B, device), o.sampler, keys, o.batch);
  const Tensor answers =
      sequences.tokens.index_select(0, tail_rows(sequences, C).flatten()).cpu().view({B, C});
  Rollouts out{complete(std::move(sequences), answers, eos, std::move(step)),
               until_eos(answers, eos),
               {},
               {}};
  for (int64_t b = 0; b < B; ++b)
    out.attempts.push_back(attempt(problems[b / G], tokenizer, answers[b], eos));
  if (o.sampler.approximate() && o.audit > 0)
    for (int64_t b = 0; b < B; ++b)
      if ((first * G + b) % o.audit == 0)
        out.agreement[b] =
            agreement(answers[b], exact_answer(denoiser, prompts[b / G], o.sampler, keys[b]), eos);
  return out;
}

}  // namespace gdsd
