// The forward process: hides tokens of finished rollouts, then asks a denoiser about them.
#pragma once

#include "gdsd/base/key.h"
#include "gdsd/denoiser/denoiser.h"

namespace gdsd {

/// What a hidden token counts in the score of its rollout, x being the number hidden of C.
enum class TokenWeight {
  kUniform,  // 1: GDSD
  kElbo,     // (C+1)/x: the score is the ELBO when x ~ U{0..C}; ESPO, GDSD-TLC
  kMean,     // 1/x: the mean log-probability; MDLM's loss, up to a constant, when x ~ U{1..C}
};

struct MaskingOptions {
  int64_t views = 1;                           // K, written num_mc or num_t in the papers
  bool coupled = true;                         // each view also predicts its complement
  TokenWeight weight = TokenWeight::kUniform;  // halved for the two passes of a coupled view
  int64_t least = 0;                           // fewest tokens to hide; the most are C
};

/// K masked views of B rollouts. A coupled view stands for two passes: `hidden` and, among the
/// completion tokens, its complement.
struct Views {
  Packed rollouts;      // x0: prompts and completions, nothing hidden
  Tensor hidden;        // [K, N] bool, on the CPU
  bool coupled = true;  // also predict the completion tokens that `hidden` leaves visible
  Tensor weight;  // [K, B, C] float64: Σ weight · log p is a rollout's score; 0 if not asked
};

/// How many of C tokens to hide in each of the b rows of a group, stratified over 0 … C:
/// x_i = round(k + i (C+1)/b) mod (C+1) for one k ~ U{0..C}, in the released code's float32
/// arithmetic to the last tie (objectives: GDSD, ESPO).
std::vector<int64_t> mask_counts(int64_t C, int64_t b, int64_t k);

/// Hides completion tokens of every rollout. Mask counts are stratified over each group of G
/// neighbours; which tokens they hit is drawn row by row.
Views mask(const Packed& rollouts, int64_t C, const MaskingOptions& options, int64_t G, Key key);

/// Rollouts begin … end − 1 of every view.
Views slice(const Views& views, int64_t begin, int64_t end);

/// log p(x0_i | view k) at the completion tokens view k predicts, 0 elsewhere → [K, B, C].
/// Only those rows reach the head. Carries the gradient unless a NoGradGuard is alive.
Tensor log_probs(const Denoiser& denoiser, const Views& views);

}  // namespace gdsd
