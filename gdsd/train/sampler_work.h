// What a sampler asks of a model, to count its operations by.
#pragma once

#include "gdsd/sampler/sampler.h"
#include "gdsd/train/flops.h"

namespace gdsd {

struct SamplerWork {
  double calls = 0;  // of the denoiser, with all of the batch
  Asked asked;
};

/// Of a batch that sample() made, sequences of L tokens: step [B, C] is Samples::step. A sequence
/// goes through the layers until nothing of the block is hidden, and a token is asked for from its
/// block's first call until it is kept.
SamplerWork sampler_work(const Tensor& step, const SamplerOptions& options, double L);

/// Of a batch of B that is yet to be made. How many steps a threshold takes nobody knows: one for
/// every token then, the most that it can be.
SamplerWork planned_work(const SamplerOptions& options, int64_t B, double L);

}  // namespace gdsd
