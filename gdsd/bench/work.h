// What the phases of a benchmark work on: a model, token ids, masks.
#pragma once

#include "gdsd/bench/bench.h"
#include "gdsd/masking/masking.h"
#include "gdsd/train/gradient.h"

namespace gdsd {

/// The config of the model that is asked for: of its folder, or of the shape.
ModelConfig bench_config(const BenchOptions& options);

/// The denoiser to train, of the folder or with random weights.
Transformer bench_model(const BenchOptions& options, const Compute& compute);

/// The reference: the same without its adapter, or a second copy of weights that are trained.
Transformer bench_reference(const BenchOptions& options, const Compute& compute,
                            const Transformer& denoiser);

/// Token t of row b is (7919 b + 104729 t + 17) mod (V − 2): ids that any program can count.
/// → [B, P + C]
Tensor counted_ids(const BenchOptions& options, int64_t V);

/// Masks of every inner step, of the file or drawn: stratified over the batch. → [K·B, C] bool each
std::vector<Tensor> bench_masks(const BenchOptions& options, const Packed& sequences);

/// K views of B sequences whose completions hide masks [K·B, C], and their complements.
Views coupled_views(const Packed& sequences, const Tensor& masks);

}  // namespace gdsd
