// Keys and values that outlive a call: what approximate samplers keep between denoising steps.
#pragma once

#include "gdsd/denoiser/packed.h"

namespace gdsd {

struct KeyValues {
  struct Layer {
    Tensor k, v;  // [N, H′ h] of all tokens of a batch, k rotated
  };
  std::vector<Layer> layers;  // none before the first call
  Tensor first;               // [N] int64: the tokens that were there then

  bool empty() const { return layers.empty(); }
};

/// Tokens begin[b] … end[b] − 1 of Packed::tokens, a stretch of every sequence.
struct Window {
  std::vector<int64_t> begin, end;
};

}  // namespace gdsd
