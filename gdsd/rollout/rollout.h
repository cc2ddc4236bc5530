// Acting: problems in, groups of sampled completions out.
#pragma once

#include <map>

#include "gdsd/masking/masking.h"
#include "gdsd/reward/reward.h"
#include "gdsd/sampler/sampler.h"
#include "gdsd/text/tokenizer.h"

namespace gdsd {

/// What stands before the prompts that are shorter than the longest of a step.
enum class Padding {
  kMasked,    // nothing: hidden pads, and no pads, are the same to positions that are relative
  kAttended,  // pad tokens on the left that are attended to, in sampling, scoring and learning
};
constexpr auto enum_names(Padding) { return std::array{"masked", "attended"}; }

struct RolloutOptions {
  int64_t prompts = 8;
  int64_t group_size = 8;
  int64_t batch = 0;
  int64_t audit = 64;
  Padding padding = Padding::kMasked;
  SamplerOptions sampler{.temperature = 1.0};

  template <class F>
  void fields(F&& f) {
    f("prompts", prompts, "problems per step");
    f("group_size", group_size, "G: rollouts per problem");
    f("batch", batch, "rollouts sampled together, 0 for all; changes memory, and near-ties");
    f("audit", audit,
      "where the sampler is approximate (threshold, cache), one of so many rollouts, at least one "
      "a "
      "step, is sampled again exactly: token_agreement says how many tokens are the same; 0 none");
    f("padding", padding,
      "attended puts pad tokens before short prompts, which the released trainers' models see: for "
      "parity with them only");
    f("sampler", sampler, "");
  }
  void validate() const;
};

/// B = prompts · G rollouts; rows g·G … g·G+G−1 answer the same problem.
struct Rollouts : Completed {
  Tensor completion;              // [B, C] bool, on the CPU: up to and including the first EOS
  std::vector<Attempt> attempts;  // [B] the same as text; they point at the problems given
  std::map<int64_t, double> agreement;  // of audited ones: the share of tokens, up to the first EOS
                                        // of either, that exact sampling has at the same place
};

/// True up to and including the first `eos` of each row, everywhere if there is none:
/// tokens [B, C] → [B, C] bool.
Tensor until_eos(const Tensor& tokens, int64_t eos);

/// sample() of B prompts in pieces of at most `most` (0: no limit), a share for every worker.
Samples sample_in_pieces(const Denoiser& denoiser, const Packed& prompts,
                         const SamplerOptions& options, std::span<const Key> keys, int64_t most);

/// Rollout i of problem p draws from key.fork("problem", first + p).fork("rollout", i) alone.
Rollouts rollout(const Denoiser& denoiser, const Tokenizer& tokenizer,
                 std::span<const Example> problems, const RolloutOptions& options, Key key,
                 int64_t first = 0);

}  // namespace gdsd
