// What a sampler starts from, and what it asks the denoiser.
#pragma once

#include "gdsd/denoiser/denoiser.h"

namespace gdsd {

/// Every prompt followed by C masks.
Packed append_masks(const Packed& prompts, int64_t C, int64_t mask_id);

/// The states of `rows`, moved away from those of the same completion with its prompt hidden.
/// The head is linear, so guiding states is guiding logits: l + s (l − l without prompt).
/// `completion` [B, C] int64: where completion tokens lie in x.tokens, on its device.
Tensor guided_states(const Denoiser& denoiser, const Packed& x, const Rows& rows,
                     const Tensor& completion, double scale);

}  // namespace gdsd
