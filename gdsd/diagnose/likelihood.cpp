#include "gdsd/diagnose/likelihood.h"

#include <c10/core/GradMode.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "gdsd/base/random.h"
#include "gdsd/tensor/workers.h"

namespace gdsd {

namespace {

constexpr double kNever = -std::numeric_limits<double>::infinity();
constexpr int64_t kTokens = int64_t{1} << 14;  // of partial states in one call of the denoiser

double log_add(double a, double b) {
  const double high = std::max(a, b);
  return high == kNever ? kNever : high + std::log1p(std::exp(std::min(a, b) - high));
}

/// Partial states as the denoiser sees them, their hidden tokens asked for.
struct Question {
  Packed x;
  Rows rows;
  Tensor target;  // [states · h]
};

Question ask(const Completed& x0, int64_t mask_id, int64_t end,
             std::span<const PartialState> states) {
  const auto at = x0.sequences.offsets();
  const at::Device device = x0.sequences.tokens.device();
  std::vector<Tensor> parts;
  std::vector<int64_t> hidden, rows;  // positions in the packed tokens
  Question q;
  int64_t begin = 0;
  for (const PartialState& s : states) {
    const int64_t from = at[s.rollout], L = at[s.rollout + 1] - from, C = x0.length;
    parts.push_back(x0.sequences.tokens.slice(0, from, from + L));
    for (int64_t i : s.hidden) rows.push_back(begin + L - C + i);
    for (int64_t i = end; i < C; ++i) hidden.push_back(begin + L - C + i);
    q.x.lengths.push_back(L);
    q.rows.counts.push_back(std::ssize(s.hidden));
    begin += L;
  }
  q.x.tokens = at::cat(parts);
  q.rows.index = to_tensor(rows, device);
  q.target = q.x.tokens.index_select(0, q.rows.index);
  hidden.insert(hidden.end(), rows.begin(), rows.end());
  q.x.tokens.index_fill_(0, to_tensor(hidden, device), mask_id);
  return q;
}

/// keep_chances of a few states: [S, h].
Tensor chances(const Denoiser& denoiser, const Completed& x0, const ProposalOptions& o, int64_t end,
               std::span<const PartialState> states) {
  const auto S = std::ssize(states), h = std::ssize(states[0].hidden);
  const Question question = ask(x0, denoiser.vocabulary().mask_id, end, states);
  const Proposals all = proposals(
      wide_logits(denoiser.encode(question.x, question.rows), denoiser.head()), o);  // [S·h, V]
  const Tensor target = question.target.unsqueeze(1);
  const Tensor own_q = all.q.gather(1, target).view({S, h});
  const Tensor own = all.log_p.gather(1, target).view({S, 1, h});  // c_i(y_i)

  // Row j: the mass of its draws below, and up to, each c_i(y_i).
  const auto [sorted, order] = all.log_p.sort(/*stable=*/true, /*dim=*/-1, /*descending=*/false);
  const Tensor mass = at::constant_pad_nd(all.q.gather(1, order).cumsum(1), {1, 0});  // [S·h, V+1]
  const Tensor at_own = own.expand({S, h, h}).reshape({S * h, h}).contiguous();
  auto mass_before = [&](bool right) {
    return mass.gather(1, at::searchsorted(sorted, at_own, /*out_int32=*/false, right))
        .view({S, h, h});
  };
  const Tensor beaten = mass_before(/*right=*/false), tied = mass_before(/*right=*/true);
  const Tensor j_is_right = at::ones({h, h}, at::TensorOptions(at::kBool).device(mass.device()))
                                .tril(-1);  // [j, i]: j > i
  const Tensor others = at::where(j_is_right, tied, beaten)
                            .masked_fill(at::eye(h, j_is_right.options()), 1.0);  // [S, j, i]
  return (own_q.log() + others.log().sum(1)).cpu();
}

/// One call of likelihoods().
class Likelihood {
 public:
  Likelihood(const Denoiser& denoiser, const Completed& x0, const SamplerOptions& sampler)
      : denoiser_(denoiser), x0_(x0), o_(sampler), B_(x0.sequences.size()) {}

  /// [B]
  std::vector<double> exact() const {
    std::vector<double> log_p(B_, 0.0);
    for (int64_t begin = 0; begin < x0_.length; begin += o_.block()) add_block(begin, log_p);
    return log_p;
  }

  /// The logarithms of the weights of M walks for each rollout, [B · M].
  std::vector<double> walk(int64_t M, Key key) const;

 private:
  void add_block(int64_t begin, std::vector<double>& log_p) const;

  const Denoiser& denoiser_;
  const Completed& x0_;
  const SamplerOptions& o_;
  int64_t B_;
};

/// Adds log p of the block that begins there, given what stands before it.
void Likelihood::add_block(int64_t begin, std::vector<double>& log_p) const {
  std::map<PartialState, double> layer;  // log A(H) of every H of h tokens that can be reached
  PartialState all{.hidden = std::vector<int64_t>(o_.block())};
  std::iota(all.hidden.begin(), all.hidden.end(), begin);
  for (all.rollout = 0; all.rollout < B_; ++all.rollout) layer[all] = 0;
  for (int64_t h = o_.block(); h > 0; --h) {
    std::vector<PartialState> states;
    for (const auto& [state, reach] : layer) states.push_back(state);
    const Tensor t = keep_chances(denoiser_, x0_, o_, begin + o_.block(), states);
    const auto at = t.accessor<double, 2>();
    std::map<PartialState, double> next;
    for (int64_t s = 0; s < std::ssize(states); ++s)
      for (int64_t i = 0; i < h; ++i) {
        if (at[s][i] == kNever) continue;
        PartialState after = states[s];
        after.hidden.erase(after.hidden.begin() + i);
        const auto [place, is_new] = next.emplace(std::move(after), kNever);
        place->second = log_add(place->second, layer.at(states[s]) + at[s][i]);
      }
    layer = std::move(next);
  }
  for (int64_t b = 0; b < B_; ++b) {
    const auto found = layer.find({.rollout = b, .hidden = {}});
    log_p[b] += found == layer.end() ? kNever : found->second;
  }
}

/// Which of the chances a draw u in (0, 1) falls to; `total` is the log of their sum.
int64_t pick(const at::TensorAccessor<double, 1>& t, int64_t h, double total, double u) {
  int64_t last = 0;
  for (int64_t i = 0; i < h; ++i) {
    if (t[i] == kNever) continue;
    last = i;
    u -= std::exp(t[i] - total);
    if (u < 0) break;
  }
  return last;
}

std::vector<double> Likelihood::walk(int64_t M, Key key) const {
  std::vector<double> log_w(B_ * M, 0.0);
  std::vector<PartialState> now(B_ * M);
  for (int64_t w = 0; w < B_ * M; ++w) now[w].rollout = w / M;
  for (int64_t step = 0; step < x0_.length; ++step) {
    const int64_t begin = step / o_.block() * o_.block(), end = begin + o_.block();
    std::map<PartialState, int64_t> index;  // walks meet: each state is asked about once
    for (PartialState& s : now) {
      if (step == begin) {
        s.hidden.resize(o_.block());
        std::iota(s.hidden.begin(), s.hidden.end(), begin);
      }
      index.emplace(s, 0);
    }
    std::vector<PartialState> states;
    for (auto& [state, at] : index) {
      at = std::ssize(states);
      states.push_back(state);
    }
    const Tensor t = keep_chances(denoiser_, x0_, o_, end, states), total = t.logsumexp(1);
    const auto at = t.accessor<double, 2>();
    for (int64_t w = 0; w < B_ * M; ++w) {
      const int64_t s = index.at(now[w]);
      const double sum = total[s].item<double>();
      log_w[w] += sum;  // −∞ for good if nothing can go on
      const Key draws = key.fork("rollout", w / M).fork("walk", w % M);
      const int64_t i = pick(at[s], end - step, sum, uniform(draws, step));
      now[w].hidden.erase(now[w].hidden.begin() + i);
    }
  }
  return log_w;
}

}  // namespace

void LikelihoodOptions::validate() const {
  check_count(states, "states", 0, int64_t{1} << 24);
  check_count(walks, "walks", 2, 1'000'000);
}

Tensor keep_chances(const Denoiser& denoiser, const Completed& x0, const SamplerOptions& sampler,
                    int64_t end, std::span<const PartialState> states) {
  const ProposalOptions o = proposal_options(sampler, denoiser.vocabulary());
  const auto S = std::ssize(states), h = std::ssize(states[0].hidden);
  const int64_t longest =
      *std::max_element(x0.sequences.lengths.begin(), x0.sequences.lengths.end());
  const int64_t V = denoiser.head().size(0), W = denoiser.workers();
  const int64_t fits = std::max<int64_t>(1, std::min(kTokens / longest, kTile / (V * h)));
  const int64_t each = std::min(fits, (S + W - 1) / W), pieces = (S + each - 1) / each;
  std::vector<Tensor> parts(pieces);
  run_workers(std::min(W, pieces), [&](int64_t w) {
    const at::NoGradGuard no_grad;
    for (int64_t i = w; i < pieces; i += std::min(W, pieces))
      parts[i] =
          chances(denoiser, x0, o, end, states.subspan(i * each, std::min(each, S - i * each)));
  });
  return at::cat(parts);
}

void check_has_likelihood(const SamplerOptions& o) {
  auto refuse = [](bool ok, const char* key, const auto& got, const char* expected) {
    check(ok,
          "[likelihood] the sampler's true likelihood is known for one token a step, kept by "
          "low_confidence, alone: rollout.sampler.",
          key, " is ", got, ", expected ", expected, ".");
  };
  refuse(o.remasking == Remasking::kLowConfidence, "remasking", to_text(o.remasking),
         "low_confidence");
  refuse(o.schedule == Schedule::kEven, "schedule", to_text(o.schedule), "even");
  refuse(o.threshold == 0, "threshold", o.threshold, "0");
  refuse(o.cache == Cache::kNone, "cache", to_text(o.cache), "none");
  refuse(o.calls() == o.gen_length, "steps", o.steps, "0 or gen_length");
  refuse(o.cfg_scale == 0, "cfg_scale", o.cfg_scale, "0");
  refuse(o.remasking_temperature == 0, "remasking_temperature", o.remasking_temperature, "0");
  refuse(o.temperature > 0, "temperature", o.temperature, "more than 0");
  refuse(o.noise == Noise::kExact, "noise", to_text(o.noise), "exact");
  refuse(!o.compat.emit_mask && !o.compat.logits_eos_inf && !o.compat.confidence_eos_eot_inf,
         "compat", "in use", "none of it");
}

Likelihoods likelihoods(const Denoiser& denoiser, const Completed& x0,
                        const SamplerOptions& sampler, const LikelihoodOptions& options, Key key) {
  check_has_likelihood(sampler);
  check(x0.length == sampler.gen_length, "[likelihood] the completions have ", x0.length,
        " tokens, the sampler makes ", sampler.gen_length, ".");
  const int64_t n = sampler.block(), blocks = x0.length / n, B = x0.sequences.size();
  const Likelihood of(denoiser, x0, sampler);
  if (n < 24 && (blocks << n) <= options.states)
    return {.log_p = to_tensor(of.exact()), .error = at::zeros({B}, at::kDouble), .exact = true};
  const int64_t M = options.walks;
  const Tensor log_w = to_tensor(of.walk(M, key)).view({B, M});
  const Tensor log_p = log_w.logsumexp(1) - std::log(static_cast<double>(M));
  const Tensor relative = (log_w - log_p.unsqueeze(1)).exp();  // of mean 1
  return {.log_p = log_p,
          .error = relative.std(1, /*unbiased=*/true) / std::sqrt(static_cast<double>(M))};
}

}  // namespace gdsd
