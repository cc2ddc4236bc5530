// MDLM: cross-entropy of the hidden tokens of demonstrations, for pretraining and fine-tuning.
// Sahoo et al. 2024, arXiv:2406.07524; Nie et al. 2025 (LLaDA), arXiv:2502.09992, eq. 3.
//
//   L = Σ_b −mean_k Σ_i w_i log p(x0_i | x_t)  /  number of demonstrations, or of their tokens
//
// With bernoulli and w = 1/t it is the negative ELBO; per token it is LLaDA's and d1's.
#pragma once

#include "gdsd/masking/masking.h"
#include "gdsd/objective/objective.h"

namespace gdsd {

enum class Per { kDemonstration, kToken };
constexpr auto enum_names(Per) { return std::array{"demonstration", "token"}; }

struct MdlmOptions {
  static constexpr std::string_view kName = "mdlm";
  Per per = Per::kDemonstration;
  MaskingOptions masking = {.coupled = false, .weight = TokenWeight::kMean, .least = 1};

  static MdlmOptions released() {
    return {.per = Per::kToken,
            .masking = {.pattern = Pattern::kBernoulli,
                        .coupled = false,
                        .weight = TokenWeight::kRate,
                        .min_rate = 1e-3}};
  }
  template <class F>
  void fields(F&& f) {
    f("per", per, "what the sum is divided by the number of");
    f("masking", masking, "");
  }
};

inline Loss loss(const Batch& b, const MdlmOptions& o) {
  const Tensor score = (b.weight * b.log_p).sum(-1).mean(0);  // [B]
  const int64_t tokens = score.numel() * b.log_p.size(-1);
  return {.sum = -score.sum(),
          .count = static_cast<double>(o.per == Per::kToken ? tokens : score.numel()),
          .metrics = {}};
}

}  // namespace gdsd
