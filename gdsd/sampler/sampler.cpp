#include "gdsd/sampler/sampler.h"

#include <c10/core/GradMode.h>

#include <limits>

#include "gdsd/sampler/canvas.h"
#include "gdsd/sampler/resident.h"
#include "gdsd/sampler/states.h"
#include "gdsd/tensor/random.h"

namespace gdsd {

namespace {

constexpr double kNone = -std::numeric_limits<double>::infinity();

/// One number in (0, 1) for each hidden token: what chance decides about keeping it. [R]
Tensor remasking_noise(std::span<const Key> draws) {
  std::vector<Key> streams;
  for (Key key : draws) streams.push_back(key.fork("remask"));
  return uniform(streams, 1).squeeze(1);
}

/// One call of sample(): the canvas, and which of its tokens are still hidden.
class Reverse {
 public:
  Reverse(const Denoiser& denoiser, const Packed& prompts, const SamplerOptions& options,
          std::span<const Key> keys, const Watch& watch)
      : denoiser_(denoiser),
        o_(options),
        keys_(keys),
        watch_(watch),
        proposal_(proposal_options(options, denoiser.vocabulary())),
        x_(append_masks(prompts, options.gen_length, denoiser.vocabulary().mask_id)),
        completion_(tail_rows(x_, options.gen_length).cpu()),
        states_(denoiser, options, completion_.to(x_.tokens.device())),
        hidden_(at::ones_like(completion_, at::kBool)),
        kept_at_(at::full_like(completion_, -1)),
        proposed_(at::full_like(completion_, -1)),
        score_(at::full(completion_.sizes(), kNone, at::kDouble)) {}

  /// Denoises completion tokens begin … end − 1 in `steps` steps.
  void block(int64_t begin, int64_t end, int64_t steps);

  Samples result() const { return {.sequences = x_, .step = kept_at_}; }

 private:
  /// For each row how many proposals step i keeps; `at_start` were hidden when the block began.
  std::vector<int64_t> counts(const std::vector<int64_t>& at_start, int64_t i, int64_t steps,
                              int64_t end) const;
  void step(int64_t end, const std::vector<int64_t>& count, float fraction);
  void show_watcher(const Proposal& x0, const Tensor& where, std::span<const Key> draws);
  std::vector<Key> row_keys(const Tensor& where) const;
  Tensor choose(const Proposal& x0, const Tensor& where, std::span<const Key> draws,
                const std::vector<int64_t>& count, float fraction) const;
  std::vector<int64_t> hidden_before(int64_t begin, int64_t end) const {
    return to_vector<int64_t>(hidden_.slice(1, begin, end).sum(1));
  }

  const Denoiser& denoiser_;
  const SamplerOptions& o_;
  std::span<const Key> keys_;
  const Watch& watch_;
  const ProposalOptions proposal_;
  Packed x_;
  const Tensor completion_;  // [B, C] int64: where completion tokens lie in x_.tokens
  States states_;
  Tensor hidden_;            // [B, C] bool
  Tensor kept_at_;           // [B, C] int64
  Tensor proposed_, score_;  // [B, C]: of this step, for the watcher
  int64_t step_ = 0;
};

/// One stream for each hidden token [R, 2] (row and position), named by rollout, step and position:
/// never by batch.
std::vector<Key> Reverse::row_keys(const Tensor& where) const {
  std::vector<Key> keys;
  const auto at = where.accessor<int64_t, 2>();
  for (int64_t r = 0; r < where.size(0); ++r)
    keys.push_back(keys_[at[r][0]].fork("step", step_).fork("position", at[r][1]));
  return keys;
}

/// → [R] bool: which proposals are kept, for each row its surest.
Tensor Reverse::choose(const Proposal& x0, const Tensor& where, std::span<const Key> draws,
                       const std::vector<int64_t>& count, float fraction) const {
  if (o_.remasking == Remasking::kOrigin) return remasking_noise(draws) < fraction;
  Tensor score = confidence(x0, o_.remasking, draws).to(at::kCPU, at::kDouble);  // [R]
  const Tensor sure = score;
  if (o_.remasking_temperature > 0) {
    // The largest of score/T + Gumbel noise are a draw without replacement from softmax(score/T).
    score = score / o_.remasking_temperature - remasking_noise(draws).log().neg().log();
  }
  // Stable, so that equal scores resolve left to right on every device.
  Tensor table = at::full(hidden_.sizes(), -std::numeric_limits<double>::infinity(), at::kDouble);
  const Tensor row = where.select(1, 0), position = where.select(1, 1);
  // A candidate of probability 0 is still one; what is revealed is none.
  table.index_put_({row, position}, score.clamp_min(std::numeric_limits<double>::lowest()));
  const Tensor order = table.argsort(/*stable=*/true, /*dim=*/-1, /*descending=*/true);  // [B, C]
  Tensor keep = at::zeros(hidden_.sizes(), at::kBool);
  for (size_t b = 0; b < count.size(); ++b)
    keep[static_cast<int64_t>(b)].index_fill_(
        0, order[static_cast<int64_t>(b)].slice(0, 0, count[b]), true);
  keep = keep.index({row, position});
  if (o_.threshold > 0) keep.logical_or_(sure >= std::log(o_.threshold));
  return keep;
}

void Reverse::show_watcher(const Proposal& x0, const Tensor& where, std::span<const Key> draws) {
  const Tensor row = where.select(1, 0), position = where.select(1, 1);
  proposed_.index_put_({row, position}, x0.token.cpu());
  if (o_.remasking == Remasking::kOrigin) return;
  score_.index_put_({row, position}, confidence(x0, o_.remasking, draws).to(at::kCPU, at::kDouble));
}

/// Proposes every token before `end` that is hidden, and keeps some.
void Reverse::step(int64_t end, const std::vector<int64_t>& count, float fraction) {
  const at::Device device = x_.tokens.device();
  const Tensor where = hidden_.slice(1, 0, end).nonzero();  // [R, 2]
  const auto draws = row_keys(where);
  const Tensor at_token =
      completion_.index({where.select(1, 0), where.select(1, 1)});  // [R] in x_.tokens
  const Rows rows{at_token.to(device), hidden_before(0, end)};
  const Proposal x0 = propose(states_.at(x_, rows), denoiser_.head(), proposal_, draws);
  if (watch_) show_watcher(x0, where, draws);

  const Tensor kept = choose(x0, where, draws, count, fraction).nonzero().squeeze(1);  // of R
  const Tensor token = x0.token.cpu().index_select(0, kept);
  const Tensor place = where.index_select(0, kept);
  x_.tokens.index_copy_(0, at_token.index_select(0, kept).to(device), token.to(device));
  // A token kept as the mask is as hidden as before.
  const Tensor still = token == denoiser_.vocabulary().mask_id;
  hidden_.index_put_({place.select(1, 0), place.select(1, 1)}, still);
  kept_at_.index_put_({place.select(1, 0), place.select(1, 1)},
                      at::full({kept.size(0)}, step_, at::kLong));
}

std::vector<int64_t> Reverse::counts(const std::vector<int64_t>& at_start, int64_t i, int64_t steps,
                                     int64_t end) const {
  std::vector<int64_t> n = hidden_before(0, end);
  for (size_t b = 0; b < n.size(); ++b) {
    const int64_t wanted = o_.threshold > 0 ? 1
                           : o_.schedule == Schedule::kEven
                               ? keep_counts(at_start[b], steps)[i]
                               : timestep_count(n[b], i, steps, o_.epsilon);
    n[b] = std::min(n[b], wanted);
  }
  return n;
}

void Reverse::block(int64_t begin, int64_t end, int64_t steps) {
  states_.begin_block(begin, end);
  const auto at_start = hidden_before(begin, end);
  const int64_t most = o_.threshold > 0 ? end - begin : steps;
  for (int64_t i = 0; i < most; ++i, ++step_) {
    const auto count = counts(at_start, i, steps, end);
    const bool origin = o_.remasking == Remasking::kOrigin;
    const int64_t wanted = std::accumulate(count.begin(), count.end(), int64_t{0});
    if (o_.threshold > 0 && wanted == 0) break;
    const float fraction = origin ? timestep_fraction(i, steps, o_.epsilon) : 0;
    const bool any = hidden_.slice(1, 0, end).any().item<bool>();
    proposed_.fill_(-1);
    score_.fill_(kNone);
    if (any && (origin || wanted > 0 || !denoiser_.reuse())) step(end, count, fraction);
    if (watch_) watch_({step_, begin, end, x_, hidden_, kept_at_, proposed_, score_});
  }
}

}  // namespace

void check_compat(const SamplerCompat& compat, const Vocabulary& vocabulary) {
  if (!compat.logits_eos_inf && !compat.confidence_eos_eot_inf) return;
  const int64_t eos = compat.eos_id < 0 ? vocabulary.eos_id : compat.eos_id;
  check(eos >= 0 && eos < vocabulary.size, "[sampler] compat.eos_id: got ", eos, ", expected 0 … ",
        vocabulary.size - 1, ".");
  check(!compat.confidence_eos_eot_inf || (compat.eot_id >= 0 && compat.eot_id < vocabulary.size),
        "[sampler] compat.eot_id: got ", compat.eot_id, ", expected 0 … ", vocabulary.size - 1,
        ": the model's end-of-turn token.");
}

Tensor confidence(const Proposal& proposal, Remasking remasking, std::span<const Key> keys) {
  switch (remasking) {
    case Remasking::kLowConfidence: return proposal.log_p;
    case Remasking::kEntropy: return -proposal.entropy;
    case Remasking::kMargin: return proposal.margin;
    case Remasking::kRandom: return remasking_noise(keys);
    case Remasking::kOrigin: break;
  }
  throw std::logic_error("[confidence] unhandled Remasking");
}

std::vector<int64_t> keep_counts(int64_t hidden, int64_t steps) {
  std::vector<int64_t> counts(steps, hidden / steps);
  for (int64_t s = 0; s < hidden % steps; ++s) ++counts[s];
  return counts;
}

float timestep_fraction(int64_t i, int64_t steps, double epsilon) {
  if (i == steps - 1) return 1;
  // torch.linspace(1, ε, steps + 1) in float32: from either end, whichever is nearer.
  const float end = static_cast<float>(epsilon), width = (end - 1) / static_cast<float>(steps);
  auto t = [&](int64_t j) {
    return j < (steps + 1) / 2 ? 1 + width * static_cast<float>(j)
                               : end - width * static_cast<float>(steps - j);
  };
  return 1 - t(i + 1) / t(i);
}

int64_t timestep_count(int64_t hidden, int64_t i, int64_t steps, double epsilon) {
  return static_cast<int64_t>(static_cast<float>(hidden) * timestep_fraction(i, steps, epsilon));
}

Samples sample(const Denoiser& denoiser, const Packed& prompts, const SamplerOptions& o,
               std::span<const Key> keys, const Watch& watch) {
  const int64_t B = prompts.size();
  check(static_cast<int64_t>(keys.size()) == B, "[sample] got ", keys.size(), " keys for ", B,
        " prompts.");
  o.validate();
  check_compat(o.compat, denoiser.vocabulary());
  if (prompts.tokens.is_cuda() && !watch && is_resident(o) && denoiser.reuse() &&
      proposes_on_gpu(denoiser.head(), proposal_options(o, denoiser.vocabulary())))
    return sample_resident(denoiser, prompts, o, keys);
  const at::NoGradGuard no_grad;
  Reverse reverse(denoiser, prompts, o, keys, watch);
  const int64_t blocks = o.gen_length / o.block();
  for (int64_t block = 0; block < blocks; ++block)
    reverse.block(block * o.block(), (block + 1) * o.block(), o.calls() / blocks);
  return reverse.result();
}

}  // namespace gdsd
