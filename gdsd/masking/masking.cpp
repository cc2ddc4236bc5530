#include "gdsd/masking/masking.h"

#include <algorithm>
#include <cmath>

#include "gdsd/base/random.h"
#include "gdsd/masking/pattern.h"
#include "gdsd/tensor/vocabulary_head.h"

namespace gdsd {

namespace {

/// One pass over one rollout: what it hides and asks, of C completion tokens.
struct Pass {
  std::vector<bool> hidden, asked;
  int64_t drawn = 0;  // x: hidden by the pattern
  double rate = 1;    // t
};

double token_weight(const Pass& pass, const MaskingOptions& o) {
  // Both passes of a pair estimate the same; coupled-GRPO adds them (arXiv:2506.20639, eq. 7).
  const double share = o.coupled && o.pattern != Pattern::kFullAndPairs ? 0.5 : 1.0;
  const auto C = static_cast<double>(pass.hidden.size());
  switch (o.weight) {
    case TokenWeight::kUniform: return share;
    case TokenWeight::kElbo: return share * (C + 1) / static_cast<double>(pass.drawn);
    case TokenWeight::kMean:
      return share / static_cast<double>(std::count(pass.asked.begin(), pass.asked.end(), true));
    case TokenWeight::kRate: return share / pass.rate;
    case TokenWeight::kCount: return share * C / static_cast<double>(pass.drawn);
  }
  throw std::logic_error("[mask] unhandled TokenWeight");
}

/// Restricts a pass to the tokens `in_scope`.
Pass make_pass(std::vector<bool> hidden, std::vector<bool> asked, double rate,
               const std::vector<bool>& in_scope, bool hide_rest) {
  Pass pass{std::move(hidden), std::move(asked), 0, rate};
  pass.drawn = std::count(pass.hidden.begin(), pass.hidden.end(), true);
  for (size_t i = 0; i < in_scope.size(); ++i) {
    if (in_scope[i]) continue;
    pass.asked[i] = false;
    if (hide_rest) pass.hidden[i] = true;
  }
  return pass;
}

std::vector<bool> inverse(std::vector<bool> x) {
  x.flip();
  return x;
}

/// The tokens of a rollout whose first EOS is at `eos` that are scored, [C].
std::vector<bool> scope(int64_t eos, int64_t C, TokenScope tokens) {
  std::vector<bool> in(C, true);
  if (tokens != TokenScope::kAll)
    std::fill(in.begin() + std::min(C, tokens == TokenScope::kUntilEos ? eos + 1 : eos), in.end(),
              false);
  return in;
}

/// Fills one Views, rollout by rollout.
class Masker {
 public:
  Masker(const Completed& x0, const MaskingOptions& o, int64_t G, Key key)
      : x0_(x0),
        o_(o),
        G_(G),
        key_(key),
        B_(x0.sequences.size()),
        C_(x0.length),
        at_(x0.sequences.offsets()) {
    check(B_ % G == 0, "[mask] ", B_, " rollouts are not whole groups of ", G, ".");
    check(o.least >= 0 && o.least <= C_, "[mask] cannot hide at least ", o.least, " of ", C_,
          " tokens.");
    check(o.pattern != Pattern::kTrace || x0.step.defined(),
          "[mask] the pattern trace needs rollouts, which know when each token was revealed.");
  }

  Views run();

 private:
  Canvas canvas(int64_t b) const;
  int64_t views() const;
  int64_t stratified_count(int64_t view, int64_t b) const;
  void write(Views& out, int64_t view, int64_t b, int64_t p, const std::vector<bool>& prompt,
             const Pass& pass) const;
  std::span<const int64_t> step(int64_t b) const {
    if (!x0_.step.defined()) return {};
    return {x0_.step.const_data_ptr<int64_t>() + b * C_, static_cast<size_t>(C_)};
  }

  const Completed& x0_;
  const MaskingOptions& o_;
  int64_t G_;
  Key key_;
  int64_t B_, C_;
  std::vector<int64_t> at_;
};

Canvas Masker::canvas(int64_t b) const {
  return {.prompt = x0_.sequences.lengths[b] - C_,
          .size = C_,
          .content = std::min(C_, x0_.eos[b] + 1),
          .step = step(b)};
}

int64_t Masker::views() const {
  if (o_.pattern != Pattern::kTrace) return o_.views;
  size_t most = 1;
  for (int64_t b = 0; b < B_; ++b) most = std::max(most, traced_steps(step(b), o_.shrink).size());
  return static_cast<int64_t>(most);
}

int64_t Masker::stratified_count(int64_t view, int64_t b) const {
  if (o_.pattern != Pattern::kStratified) return 0;
  const int64_t most = C_ - o_.least, g = b / G_, i = b % G_;  // beyond the least
  const auto k = static_cast<int64_t>(below(key_.fork("view", view).fork("group", g), 0, most + 1));
  if (o_.coupled) return o_.least + mask_counts(most, G_, k)[i];
  // Ties of the released counts go to even: a row on a tie would never see the odd ones, which only
  // its other pass makes up for. Here every row's shift is an integer.
  return o_.least + (k + (2 * i * (most + 1) + G_) / (2 * G_)) % (most + 1);
}

/// Pass p, which belongs to `view`, of rollout b.
void Masker::write(Views& out, int64_t view, int64_t b, int64_t p, const std::vector<bool>& prompt,
                   const Pass& pass) const {
  auto hidden = out.hidden.accessor<bool, 2>();
  auto asked = out.asked.accessor<bool, 3>();
  auto weight = out.weight.accessor<double, 3>();
  for (size_t i = 0; i < prompt.size(); ++i) hidden[p][at_[b] + i] = prompt[i];
  for (int64_t i = 0; i < C_; ++i) {
    hidden[p][at_[b + 1] - C_ + i] = pass.hidden[i];
    if (!pass.asked[i]) continue;
    asked[p][b][i] = true;
    weight[view][b][i] = token_weight(pass, o_);
  }
}

Views Masker::run() {
  const int64_t N = x0_.sequences.tokens.size(0), K = views(), P = o_.coupled ? 2 * K : K;
  Views out{.rollouts = x0_.sequences,
            .hidden = at::zeros({P, N}, at::kBool),
            .asked = at::zeros({P, B_, C_}, at::kBool),
            .weight = at::zeros({K, B_, C_}, at::kDouble),
            .score = o_.score};
  for (int64_t b = 0; b < B_; ++b) {
    const Canvas of = canvas(b);
    const auto in_scope = scope(x0_.eos[b], C_, o_.tokens);
    for (int64_t v = 0; v < K; ++v) {
      const Hiding h = hide(of, o_, v, stratified_count(v, b), key_.fork("blocks").fork("row", b),
                            key_.fork("view", v).fork("row", b));
      write(out, v, b, v, h.prompt, make_pass(h.hidden, h.scored, h.rate, in_scope, o_.hide_rest));
      if (!o_.coupled) continue;
      const auto rest = inverse(h.hidden);
      write(out, v, b, K + v, h.prompt, make_pass(rest, rest, 1 - h.rate, in_scope, o_.hide_rest));
    }
  }
  return out;
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

void MaskingOptions::validate() const {
  const bool pairs = pattern == Pattern::kStratified || pattern == Pattern::kUniform ||
                     pattern == Pattern::kBernoulli || pattern == Pattern::kFullAndPairs;
  check_count(views, "views", 1, 1000);
  check_field(!coupled || pairs, "coupled", "got true with pattern ", to_text(pattern),
              ", but only stratified, uniform, bernoulli and full_and_pairs have a complement: say "
              "coupled=false.");
  check_field(pattern != Pattern::kTrace || views == 1, "views",
              "follow from the denoising steps with pattern trace: leave it at 1, got ", views,
              ".");
  check_count(least, "least", 0, int64_t{1} << 31);
  check_field(min_rate >= 0 && min_rate <= 1, "min_rate", "got ", min_rate, ", expected 0 … 1.");
  check_field(max_rate >= min_rate && max_rate <= 1, "max_rate", "got ", max_rate,
              ", expected min_rate … 1.");
  check_field(prompt_rate >= 0 && prompt_rate < 1, "prompt_rate", "got ", prompt_rate,
              ", expected 0 ≤ rate < 1.");
  check_field(!hide_rest || weight != TokenWeight::kElbo, "hide_rest",
              "gives other counts than weight elbo is made for; use bernoulli with weight rate.");
  check_count(block_length, "block_length", 1, int64_t{1} << 31);
  check_count(shrink, "shrink", 1, int64_t{1} << 31);
}

Views mask(const Completed& x0, const MaskingOptions& options, int64_t G, Key key) {
  return Masker(x0, options, G, key).run();
}

Views slice(const Views& views, int64_t begin, int64_t end) {
  const auto at = views.rollouts.offsets();
  return {.rollouts = slice(views.rollouts, begin, end),
          .hidden = views.hidden.slice(1, at[begin], at[end]),
          .asked = views.asked.slice(1, begin, end),
          .weight = views.weight.slice(1, begin, end),
          .score = views.score};
}

Completed complete(Packed sequences, const Tensor& completions, int64_t eos, Tensor step) {
  const Tensor is_eos = (completions == eos).cpu();
  const int64_t B = completions.size(0), C = completions.size(1);
  Completed out{std::move(sequences), C, std::vector<int64_t>(B, C), std::move(step)};
  const auto at = is_eos.accessor<bool, 2>();
  for (int64_t b = 0; b < B; ++b)
    for (int64_t i = C; i-- > 0;)
      if (at[b][i]) out.eos[b] = i;
  return out;
}

}  // namespace gdsd
