// Weights of a model that has learnt nothing.
#pragma once

#include "gdsd/base/key.h"
#include "gdsd/denoiser/architecture.h"
#include "gdsd/tensor/safetensors.h"

namespace gdsd {

/// Fresh float32 weights: matrices uniform in ±1/√inputs, the embedding standard normal, norms 1,
/// biases 0 (PyTorch's defaults, but for the biases). With the released models' own initialisation,
/// whose embedding is √D times smaller, a small model forgets more of what it knew when it is
/// trained on something else.
TensorMap init_weights(const Architecture& architecture, Key key);

/// One of them: `name` and its shape in tensor_shapes(architecture).
Tensor init_weight(const Architecture& architecture, const std::string& name,
                   const std::vector<int64_t>& shape, Key key);

}  // namespace gdsd
