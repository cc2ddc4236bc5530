// The reverse process: from a prompt followed by [MASK]s to a finished completion.
//
//   repeat for each block, left to right:
//     x̂0 ~ p_θ(· | x_t)                    propose every hidden token of the block
//     keep the most confident, remask the rest
//
// Nie et al. 2025 (LLaDA), arXiv:2502.09992. Semi-autoregressive when block_length < gen_length.
#pragma once

#include <array>
#include <span>

#include "gdsd/base/fields.h"
#include "gdsd/denoiser/denoiser.h"
#include "gdsd/tensor/vocabulary_head.h"

namespace gdsd {

/// Which proposals to keep at a step; the others go back to [MASK].
enum class Remasking {
  kLowConfidence,  // keep the largest p_θ(x̂0)
  kEntropy,        // keep the smallest entropy of p_θ
  kMargin,         // keep the largest gap between the two likeliest tokens
  kRandom,         // keep uniformly at random
};
constexpr auto enum_names(Remasking) {
  return std::array{"low_confidence", "entropy", "margin", "random"};
}

struct SamplerOptions {
  int64_t gen_length = 256;   // C: completion tokens, all hidden at the start
  int64_t block_length = 32;  // tokens denoised together before moving right
  int64_t steps = 128;        // S: denoiser calls for the whole completion
  double temperature = 0.0;   // Gumbel-max temperature of the proposal; 0 is greedy
  double cfg_scale = 0.0;     // classifier-free guidance against a masked prompt; 0 is off
  Remasking remasking = Remasking::kLowConfidence;

  template <class F>
  void fields(F&& f) {
    f("gen_length", gen_length, "completion tokens, all hidden at the start");
    f("block_length", block_length, "tokens denoised together before moving right");
    f("steps", steps, "denoiser calls for the whole completion");
    f("temperature", temperature, "Gumbel-max temperature, 0 is greedy");
    f("cfg_scale", cfg_scale, "classifier-free guidance, 0 is off");
    f("remasking", remasking, "which proposals of a step are kept");
  }
  void validate() const;
};

struct Samples {
  Packed sequences;  // every prompt followed by its C completion tokens, no [MASK] left
  Tensor step;       // [B, C] int64, on the CPU: the step at which each completion token was kept
};

/// Row b draws only from `keys[b]`, so a rollout does not change with the batch it is sampled in.
Samples sample(const Denoiser& denoiser, const Packed& prompts, const SamplerOptions& options,
               std::span<const Key> keys);

// The pieces of one step. New samplers are assembled from these, and tests pin each of them.

/// How much each proposal deserves to be kept: → [R], larger first.
Tensor confidence(const Proposal& proposal, Remasking remasking, std::span<const Key> keys);

/// Spreads `hidden` tokens of a block over its steps: → [steps], the early steps take the rest.
std::vector<int64_t> keep_counts(int64_t hidden, int64_t steps);

}  // namespace gdsd
