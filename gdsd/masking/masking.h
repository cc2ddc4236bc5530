// The forward process: hides tokens of finished rollouts, then asks a denoiser about them.
#pragma once

#include <array>

#include "gdsd/base/fields.h"
#include "gdsd/base/key.h"
#include "gdsd/denoiser/packed.h"

namespace gdsd {

/// What a view hides of C completion tokens, c of which end with the first EOS.
enum class Pattern {
  kStratified,    // x tokens, x ~ U{least … C} spread evenly over a group: GDSD, ESPO
  kUniform,       // x tokens, x ~ U{least … C}: MDLM
  kBernoulli,     // each token with chance t ~ U[min_rate, max_rate): DMPO, MDLM's released code
  kFull,          // all: diffu-GRPO, wd1
  kFullAndPairs,  // the first view all, the others as bernoulli: coupled-GRPO
  kRandom,        // x of the first c, x ~ U{max(⌊c min_rate⌋, 1) … ⌊c max_rate⌋}: SPG
  kBlockAll,      // a block and all after it: SPG
  kBlockRandom,   // as random within a block, and all after it: SPG
  kTrace,  // what stood hidden when a denoising step revealed a token; a view a step: TraceRL
};
constexpr auto enum_names(Pattern) {
  return std::array{"stratified", "uniform",   "bernoulli",    "full", "full_and_pairs",
                    "random",     "block_all", "block_random", "trace"};
}

/// What a hidden token counts in the score of its rollout, when x of C are hidden, n of them
/// scored, each with chance t.
enum class TokenWeight {
  kUniform,  // 1: GDSD
  kElbo,     // (C+1)/x: the score is the ELBO when x ~ U{0..C}; ESPO, GDSD-TLC
  kMean,     // 1/n: the mean log-probability; MDLM's loss, up to a constant, when x ~ U{1..C}
  kRate,     // 1/t, t = x/C where x is what is drawn: the ELBO when t ~ U[0, 1); MDLM
  kCount,    // C/x: the mean over hidden tokens times C; what DMPO takes for the ELBO
};
constexpr auto enum_names(TokenWeight) {
  return std::array{"uniform", "elbo", "mean", "rate", "count"};
}

/// Which completion tokens are scored.
enum class TokenScope { kAll, kUntilEos, kBeforeEos };
constexpr auto enum_names(TokenScope) { return std::array{"all", "until_eos", "before_eos"}; }

/// What is asked of a hidden token.
enum class TokenScore {
  kLogProb,       // log p(x0_i | x_t)
  kCentredLogit,  // its logit less the mean logit of the vocabulary
};
constexpr auto enum_names(TokenScore) { return std::array{"log_prob", "centred_logit"}; }

struct MaskingOptions {
  Pattern pattern = Pattern::kStratified;
  int64_t views = 1;
  bool coupled = true;
  TokenWeight weight = TokenWeight::kUniform;
  TokenScope tokens = TokenScope::kAll;
  TokenScore score = TokenScore::kLogProb;
  bool hide_rest = false;
  int64_t least = 0;
  double min_rate = 0;
  double max_rate = 1;
  double prompt_rate = 0;
  int64_t block_length = 32;
  bool outside_block = false;
  bool wrap_blocks = false;
  int64_t shrink = 1;

  template <class F>
  void fields(F&& f) {
    f("pattern", pattern, "which tokens a view hides");
    f("views", views, "K: masked views of a rollout (num_mc, num_t); trace has one a step");
    f("coupled", coupled, "each view also predicts, in a second pass, what it left visible");
    f("weight", weight, "what a hidden token counts; halved for the two passes of a view");
    f("tokens", tokens, "which completion tokens are scored");
    f("score", score, "what is asked of a hidden token");
    f("hide_rest", hide_rest, "hide in every pass the completion tokens that are not scored");
    f("least", least, "fewest tokens that stratified and uniform hide");
    f("min_rate", min_rate, "least share of the tokens that bernoulli and random hide");
    f("max_rate", max_rate, "greatest share of the tokens that bernoulli and random hide");
    f("prompt_rate", prompt_rate, "chance of a prompt token, and of earlier blocks, to be hidden");
    f("block_length", block_length, "tokens of a block, for block_all and block_random");
    f("outside_block", outside_block, "score hidden tokens outside the block as well, as released");
    f("wrap_blocks", wrap_blocks,
      "draw blocks of the whole canvas, modulo those with content, as released: not evenly");
    f("shrink", shrink, "denoising steps that trace takes as one");
  }
  void validate() const;
};

/// Rollouts that are finished, or demonstrations: x0.
struct Completed {
  Packed sequences;          // prompts, each followed by its C completion tokens
  int64_t length = 0;        // C
  std::vector<int64_t> eos;  // [B] where among them the first EOS is, C if nowhere
  Tensor step;               // [B, C] int64, on the CPU: when each was revealed; for trace
};

/// Looks for the first `eos` of each of the completions [B, C].
Completed complete(Packed sequences, const Tensor& completions, int64_t eos, Tensor step = {});

/// K masked views of B rollouts, in P = K passes, or 2K if coupled: the views, then their
/// complements.
struct Views {
  Packed rollouts;  // x0: prompts and completions, nothing hidden
  Tensor hidden;    // [P, N] bool, on the CPU
  Tensor asked;     // [P, B, C] bool, on the CPU: hidden completion tokens that are scored
  Tensor weight;    // [K, B, C] float64: Σ weight · score is a rollout's score; 0 if not asked
  TokenScore score = TokenScore::kLogProb;
};

/// How many of C tokens to hide in each of the b rows of a group, stratified over 0 … C:
/// x_i = round(k + i (C+1)/b) mod (C+1) for one k ~ U{0..C}, in the released code's float32
/// arithmetic to the last tie (objectives: GDSD, ESPO).
std::vector<int64_t> mask_counts(int64_t C, int64_t b, int64_t k);

/// Hides tokens of every rollout. Stratified counts are spread over each group of G neighbours;
/// everything else is drawn row by row.
Views mask(const Completed& x0, const MaskingOptions& options, int64_t G, Key key);

/// Rollouts begin … end − 1 of every view.
Views slice(const Views& views, int64_t begin, int64_t end);

}  // namespace gdsd
