// The reverse process without the host: where the schedule alone says how many tokens are hidden at
// every step, canvas, keys and counters stay on the device, and the host waits for it once, at the
// end. Blocks are alike, so the device's work on one can be recorded and done again for the others.
#pragma once

#include "gdsd/sampler/sampler.h"

namespace gdsd {

/// A step that keeps something, the same for every rollout: of `hidden` tokens of a block, `keep`.
struct ResidentStep {
  int64_t number;  // within the block, of all steps
  int64_t hidden, keep;
};

/// Whether the schedule alone decides about numbers: of an exact sampler, not with remasking
/// `origin`, not where a token kept as the mask is hidden again.
bool is_resident(const SamplerOptions& options);

/// The steps of a block that keep something, by the schedule.
std::vector<ResidentStep> resident_steps(const SamplerOptions& options);

/// sample() of such options, which must be valid: the same bits on a CPU (E0). A block of lengths and
/// options seen before is recorded with the denoiser's recordings, where it has them, and from then
/// on replayed.
Samples sample_resident(const Denoiser& denoiser, const Packed& prompts,
                        const SamplerOptions& options, std::span<const Key> keys);

}  // namespace gdsd
