// What a sampler starts from, and what it asks the denoiser.
#pragma once

#include "gdsd/denoiser/denoiser.h"

namespace gdsd {

/// Every prompt followed by C masks.
Packed append_masks(const Packed& prompts, int64_t C, int64_t mask_id);

/// encode(x), moved away from the same of the completion with its prompt hidden, which is encoded with
/// `prompted` false. The head is linear, so guiding states is guiding logits: l + s (l − l without
/// prompt). `completion` [B, C] int64: where completion tokens lie in x.tokens, on its device.
template <class F>
Tensor guided_states(const Packed& x, int64_t mask_id, const Tensor& completion, double scale,
                     F&& encode) {
  const Tensor states = encode(x, /*prompted=*/true);
  if (scale == 0.0) return states;
  Packed promptless{at::full_like(x.tokens, mask_id), x.lengths};
  const Tensor shown = completion.flatten();
  promptless.tokens.index_copy_(0, shown, x.tokens.index_select(0, shown));
  return states + scale * (states - encode(promptless, /*prompted=*/false));
}

}  // namespace gdsd
