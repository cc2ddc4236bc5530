// The interface every model implements.
#pragma once

#include "gdsd/denoiser/packed.h"
#include "gdsd/denoiser/vocabulary.h"

namespace gdsd {

class Recordings;  // gdsd/tensor/graph.h

/// p_θ(x0 | x_t): predicts all hidden tokens at once, attending in both directions.
///
/// A model answers in hidden states, not logits: the caller names the tokens it wants predicted,
/// and only those rows pass through the last layer and the vocabulary (vocabulary_head.h).
class Denoiser {
 public:
  virtual ~Denoiser() = default;

  /// The states that predict tokens x.tokens[rows]: rows [R] → [R, D].
  virtual Tensor encode(const Packed& x, const Rows& rows) const = 0;

  /// The last linear layer, [V, D].
  virtual Tensor head() const = 0;

  virtual const Vocabulary& vocabulary() const = 0;

  /// How many threads should call encode at the same time, each with a piece of the batch.
  virtual int64_t workers() const { return 1; }

  /// Brings up to date what is kept that follows from the weights. Whoever replays recorded work calls
  /// it first: the numbers of weights may have changed since.
  virtual void refresh() const {}

  /// Where work on these weights is recorded to be done again; null where nothing is.
  virtual Recordings* recordings() const { return nullptr; }
};

}  // namespace gdsd
