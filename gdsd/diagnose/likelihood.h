// The probability that the sampler ends with a given completion, which no score of a method is.
//
// The block-wise sampler that keeps one token a step, the surest (low_confidence,
// arXiv:2502.09992): with the set H of a block still hidden, the others revealed with the
// completion's tokens y, it keeps token i, and as y_i, with chance
//
//   t_i(H) = q_i(y_i) Π_{j ∈ H, j ≠ i} P(c_j < c_i(y_i), or = and j > i)
//
// where q_j is what position j is drawn from (at the sampler's temperature), and c_j the confidence
// of what is drawn there. p(y) is the sum over all orders of the products of t, block by block:
//
//   exact      A(H \ {i}) += A(H) t_i(H), from A(all) = 1 to A(∅) = p(y): 2^n states of n tokens
//   estimated  mean over walks of Π Σ_i t_i(H), each going on with i ~ t_i / Σ t: unbiased for p(y)
#pragma once

#include <span>

#include "gdsd/masking/masking.h"
#include "gdsd/sampler/sampler.h"

namespace gdsd {

/// One rollout with some tokens of a block hidden, and all of the blocks after it.
struct PartialState {
  int64_t rollout = 0;
  std::vector<int64_t> hidden;  // [h] completion positions, ascending, all of one block

  auto operator<=>(const PartialState&) const = default;
};

/// log t_i(H) for each hidden token of states that all have h of them, in the block that ends
/// before completion token `end` → [states, h] float64, −∞ for what cannot be, on the CPU.
Tensor keep_chances(const Denoiser& denoiser, const Completed& x0, const SamplerOptions& sampler,
                    int64_t end, std::span<const PartialState> states);

struct LikelihoodOptions {
  int64_t states = 4096;
  int64_t walks = 64;

  template <class F>
  void fields(F&& f) {
    f("states", states,
      "a rollout's likelihood is exact if its blocks have at most this many partial states "
      "(blocks · 2^block_length), else estimated");
    f("walks", walks, "orders drawn for an estimate");
  }
  void validate() const;
};

/// log p(y) of B rollouts, [B] float64 each, in nats.
struct Likelihoods {
  Tensor log_p;
  Tensor error;  // standard error of log_p, 0 if exact; small walks make log_p too low by error²/2
  bool exact = false;

  /// How many the sampler cannot make: their log p is −∞.
  int64_t impossible() const { return log_p.isinf().sum().item<int64_t>(); }
};

/// Throws Error for a sampler that keeps more than a token a step, is guided, greedy, or keeps by
/// anything but low_confidence.
void check_has_likelihood(const SamplerOptions& sampler);

/// The likelihoods of rollouts, whatever produced them. Walk m of rollout b draws from
/// key.fork("rollout", b).fork("walk", m) alone; without gradients.
Likelihoods likelihoods(const Denoiser& denoiser, const Completed& x0,
                        const SamplerOptions& sampler, const LikelihoodOptions& options, Key key);

}  // namespace gdsd
