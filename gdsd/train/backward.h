// Gradients of a batch that is worked on in pieces, by several workers.
#pragma once

#include <functional>

#include "gdsd/denoiser/transformer.h"

namespace gdsd {

/// How many of n rows make a piece: `micro` at most (0: no limit), and a share for every worker.
int64_t piece_size(int64_t n, int64_t micro, const Denoiser& denoiser);

/// Calls loss_of(worker's denoiser, i) for i = 0 … pieces − 1, takes the gradient of each result,
/// an undefined one having none, and leaves their sum in `denoiser`, added in an order that depends
/// on the number of workers alone.
void backward_in_pieces(const Transformer& denoiser, int64_t pieces,
                        const std::function<Tensor(const Denoiser&, int64_t)>& loss_of);

}  // namespace gdsd
