// The reverse process: from a prompt followed by [MASK]s to a finished completion.
//
//   repeat for each block, left to right:
//     x̂0 ~ p_θ(· | x_t)                    propose every hidden token of the block
//     keep some proposals, remask the rest
//
// Nie et al. 2025 (LLaDA), arXiv:2502.09992. Semi-autoregressive when block_length < gen_length.
// With one block, the schedule `timesteps` and confidence_of `proposal` it is Dream's
// diffusion_generate (Ye et al. 2025, arXiv:2508.15487).
#pragma once

#include <array>
#include <functional>
#include <span>

#include "gdsd/base/fields.h"
#include "gdsd/denoiser/denoiser.h"
#include "gdsd/tensor/proposal.h"

namespace gdsd {

/// Which proposals to keep at a step; the others go back to [MASK].
enum class Remasking {
  kLowConfidence,  // keep the largest p(x̂0); Dream calls this maskgit_plus
  kEntropy,        // keep the smallest entropy of p
  kMargin,         // keep the largest gap between the two likeliest tokens; Dream: topk_margin
  kRandom,         // keep uniformly at random
  kOrigin,         // keep each with the probability that its timestep says, alone; Dream: origin
};
constexpr auto enum_names(Remasking) {
  return std::array{"low_confidence", "entropy", "margin", "random", "origin"};
}

/// How many proposals to keep at a step.
enum class Schedule {
  kEven,  // the same at every step of a block, the first ones take the rest (LLaDA)
  kTimesteps,  // ⌊n (1 − s/t)⌋ of n hidden tokens, t from 1 to ε evenly; the last step all (Dream)
};
constexpr auto enum_names(Schedule) { return std::array{"even", "timesteps"}; }

/// The keys and values that are those of a block's first step at the steps after it, although the
/// tokens revealed meanwhile would change them: approximate. Fast-dLLM, arXiv:2505.22618.
enum class Cache {
  kNone,
  kPrefix,  // of the tokens before the block: each step forwards the block and what follows
  kDual,    // of those after it too: each step forwards the block alone
};
constexpr auto enum_names(Cache) { return std::array{"none", "prefix", "dual"}; }

/// What released samplers do and we would not.
struct SamplerCompat {
  bool emit_mask = false;
  bool logits_eos_inf = false;
  bool confidence_eos_eot_inf = false;
  int64_t eos_id = -1;
  int64_t eot_id = 126348;

  template <class F>
  void fields(F&& f) {
    f("emit_mask", emit_mask,
      "allow the mask and ids beyond the tokenizer to be proposed; a token kept as the mask is "
      "hidden again");
    f("logits_eos_inf", logits_eos_inf, "EOS is impossible (LLaDA's generate.py)");
    f("confidence_eos_eot_inf", confidence_eos_eot_inf,
      "EOS and eot_id are kept last: their confidence is 0 (LLaDA's generate.py)");
    f("eos_id", eos_id, "EOS of these two, -1 for the model's");
    f("eot_id", eot_id, "the end-of-turn token of confidence_eos_eot_inf");
  }
};

struct SamplerOptions {
  int64_t gen_length = 256;   // C: completion tokens, all hidden at the start
  int64_t block_length = 32;  // tokens denoised together before moving right
  int64_t steps = 128;        // S: denoiser calls for the whole completion, at most one a token
  double temperature = 0.0;   // Gumbel-max temperature of the proposal; 0 is greedy
  double top_p = 1.0;
  int64_t top_k = 0;
  double cfg_scale = 0.0;  // classifier-free guidance against a masked prompt; 0 is off
  Remasking remasking = Remasking::kLowConfidence;
  double remasking_temperature = 0.0;
  ConfidenceOf confidence_of = ConfidenceOf::kModel;
  Schedule schedule = Schedule::kEven;
  double epsilon = 1e-3;
  double threshold = 0.0;
  Cache cache = Cache::kNone;
  int64_t cache_refresh = 0;
  Noise noise = Noise::kExact;
  SamplerCompat compat = {};

  template <class F>
  void fields(F&& f) {
    f("gen_length", gen_length, "completion tokens, all hidden at the start");
    f("block_length", block_length,
      "tokens denoised together before moving right, 0 for the whole completion");
    f("steps", steps,
      "denoiser calls for the whole completion, 0 for one a token; of more, a block's last ones "
      "keep nothing");
    f("temperature", temperature, "Gumbel-max temperature, 0 is greedy");
    f("top_p", top_p, "draw from the fewest tokens of at least this mass, 1 from all");
    f("top_k", top_k, "draw from the likeliest tokens, 0 from all");
    f("cfg_scale", cfg_scale, "classifier-free guidance, 0 is off");
    f("remasking", remasking, "which proposals of a step are kept");
    f("remasking_temperature", remasking_temperature,
      "keep proposals at random, in proportion to exp(confidence / this); 0 the surest (alg_temp)");
    f("confidence_of", confidence_of,
      "the model's own distribution, or the one that is drawn from");
    f("schedule", schedule, "how many proposals of a step are kept");
    f("epsilon", epsilon, "where the timesteps of schedule=timesteps end");
    f("threshold", threshold,
      "keep every proposal of at least this probability, one at least, in as many steps as that "
      "takes; 0 is off. Approximate (Fast-dLLM, arXiv:2505.22618)");
    f("cache", cache,
      "after a block's first step forward only the block and what follows (prefix) or the block "
      "alone (dual), on kept keys and values of the rest. Approximate (Fast-dLLM, "
      "arXiv:2505.22618)");
    f("cache_refresh", cache_refresh,
      "with a cache: a whole forward pass at every so many denoiser calls of a block, 0 at its "
      "first "
      "alone");
    f("noise", noise, "float64, or the truncated noise of the released trainers");
    f("compat", compat, "");
  }
  void validate() const;

  int64_t block() const { return block_length > 0 ? block_length : gen_length; }
  int64_t calls() const { return steps > 0 ? steps : gen_length; }

  /// Whether other tokens may come out than with exact().
  bool approximate() const { return threshold > 0 || cache != Cache::kNone; }
  /// "256 tokens in blocks of 32, 128 denoising steps", and what is approximate about them.
  std::string describe() const;
  SamplerOptions exact() const;
};

struct Samples {
  Packed sequences;  // every prompt followed by its C completion tokens, no [MASK] left
  Tensor step;       // [B, C] int64, on the CPU: the step at which each completion token was kept
};

/// The canvas after a step, and what was proposed at it. Tensors but `sequences` are on the CPU.
struct StepView {
  int64_t step = 0;
  int64_t begin = 0, end = 0;  // completion tokens of the block that is worked on
  const Packed& sequences;
  const Tensor& hidden;    // [B, C] bool
  const Tensor& kept_at;   // [B, C] int64: the step at which a token was kept, −1 before
  const Tensor& proposed;  // [B, C] int64: this step's proposals, −1 where none was asked for
  const Tensor& score;     // [B, C] float64: confidence() in them, −∞ where there is none
};
using Watch = std::function<void(const StepView&)>;

/// Row b draws only from `keys[b]`, so a rollout does not change with the batch it is sampled in.
/// `watch` is called after every step. A step that can keep nothing does not call the denoiser,
/// unless it does all work (Denoiser::reuse).
Samples sample(const Denoiser& denoiser, const Packed& prompts, const SamplerOptions& options,
               std::span<const Key> keys, const Watch& watch = {});

// The pieces of one step. New samplers are assembled from these, and tests pin each of them.

/// What each hidden token is drawn from.
ProposalOptions proposal_options(const SamplerOptions& options, const Vocabulary& vocabulary);

/// How much each proposal deserves to be kept: → [R], larger first. Not for kOrigin.
Tensor confidence(const Proposal& proposal, Remasking remasking, std::span<const Key> keys);

/// Spreads `hidden` tokens of a block over its steps: → [steps], the early steps take the rest.
std::vector<int64_t> keep_counts(int64_t hidden, int64_t steps);

/// 1 − s/t of step i of `steps`: the fraction of what is hidden that it should keep, in float32
/// like Dream's; 1 at the last step.
float timestep_fraction(int64_t i, int64_t steps, double epsilon);

/// Dream's step arithmetic: how many of `hidden` tokens step i keeps.
int64_t timestep_count(int64_t hidden, int64_t i, int64_t steps, double epsilon);

}  // namespace gdsd
