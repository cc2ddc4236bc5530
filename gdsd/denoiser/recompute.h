// Activation checkpointing: what happens within a function is computed again when its gradient is
// asked for, instead of being kept. Chen et al. 2016, arXiv:1604.06174.
#pragma once

#include <functional>
#include <vector>

#include "gdsd/tensor/tensor.h"

namespace gdsd {

/// body(inputs), keeping nothing but the inputs. `body` must be a function of these and of
/// constants that it owns. Value and gradients are bit for bit those of the plain call (E0).
Tensor recomputed(std::function<Tensor(const std::vector<Tensor>&)> body,
                  const std::vector<Tensor>& inputs);

}  // namespace gdsd
