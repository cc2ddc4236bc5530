// What a denoiser says about hidden tokens.
#pragma once

#include "gdsd/denoiser/denoiser.h"
#include "gdsd/masking/masking.h"

namespace gdsd {

/// The score of x0_i given view k at the completion tokens view k asks for, 0 elsewhere →
/// [K, B, C]. Only those rows reach the head, and only sequences with such rows the model. Carries
/// the gradient unless a NoGradGuard is alive.
Tensor log_probs(const Denoiser& denoiser, const Views& views);

}  // namespace gdsd
