// A token for every hidden position: what a sampler asks of the last linear layer.
#pragma once

#include <array>
#include <span>
#include <vector>

#include "gdsd/base/key.h"
#include "gdsd/tensor/tiles.h"

namespace gdsd {

/// What the Gumbel noise is made with.
enum class Noise {
  kExact,       // float64, resolved down to probabilities of 2⁻⁴⁴
  kBf16Compat,  // bfloat16, as in the released trainers: rare tokens are hardly ever drawn
};
constexpr auto enum_names(Noise) { return std::array{"exact", "bf16_compat"}; }

/// The distribution whose probabilities say how sure the model is.
enum class ConfidenceOf {
  kModel,     // p_θ itself (LLaDA)
  kProposal,  // what is drawn from: after temperature, top-p and top-k (Dream)
};
constexpr auto enum_names(ConfidenceOf) { return std::array{"model", "proposal"}; }

struct ProposalOptions {
  double temperature = 0;  // 0 is greedy, the lowest id on ties
  double top_p = 1;        // draw from the fewest tokens of at least this mass; 1 from all
  int64_t top_k = 0;       // draw from the likeliest k and their equals; 0 from all
  Noise noise = Noise::kExact;
  ConfidenceOf confidence_of = ConfidenceOf::kModel;

  /// Never proposed, but these keep their share of the probabilities, as in log_prob.
  std::vector<int64_t> banned = {};
  int64_t usable = -1;  // so are the ids from here on; -1 for none

  // LLaDA's generate.py has options for these (logits_eos_inf, confidence_eos_eot_inf).
  std::vector<int64_t> impossible = {};  // logit −∞
  std::vector<int64_t> unsure = {};      // logit −∞ in the confidence alone
};

/// A token for each row, and how sure the model is of it. All [R].
struct Proposal {
  Tensor token;    // int64
  Tensor log_p;    // of `token`
  Tensor entropy;  // nats
  Tensor margin;   // p of the likeliest token minus p of the second
};

/// Draws from softmax(h Wᵀ / temperature), filtered, row by row, row r from the stream keys[r]
/// alone: hidden [R, D], weight [V, D].
Proposal propose(const Tensor& hidden, const Tensor& weight, const ProposalOptions& options,
                 std::span<const Key> keys, int64_t tile = kTile);

/// The same with the keys as a tensor [R] int64 on the states' device (key_tensor.h).
Proposal propose(const Tensor& hidden, const Tensor& weight, const ProposalOptions& options,
                 const Tensor& keys, int64_t tile = kTile);

/// Whether propose() of such states, and of keys that are a tensor, leaves all work to a GPU: then the
/// host waits for nothing, and what it does can be recorded.
bool proposes_on_gpu(const Tensor& hidden, const ProposalOptions& options);

/// What rows of logits are drawn from, and how sure the model is of each token. Both [R, V].
struct Proposals {
  Tensor q;      // float64: the chance of each token to be proposed
  Tensor log_p;  // its confidence, Proposal::log_p, in the type of the logits
};

/// The distribution that propose() draws from, of logits [R, V]. With noise=exact and a temperature
/// above 0 only.
Proposals proposals(const Tensor& logits, const ProposalOptions& options);

/// argmax of z/T + Gumbel noise −log(−log u), a draw from softmax(z/T): z [R, V], of u the rest
/// 1 − u, [R, V] float64 → [R]. In float64: with less, the noise is truncated and the effective
/// temperature drops (Zheng et al., arXiv:2409.02908).
Tensor gumbel_argmax(const Tensor& z, double temperature, const Tensor& rest);

/// Removes (to −∞) what is beyond the top-p mass, then what is below the k-th logit: z [R, V].
/// As Dream's generation_utils.py: the token that crosses the mass stays.
Tensor filter(Tensor z, double top_p, int64_t top_k);

}  // namespace gdsd
