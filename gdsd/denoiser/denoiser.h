// The interface every model implements.
#pragma once

#include "gdsd/denoiser/key_values.h"
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

  /// The same with less work, approximately. With `kept` empty it is encode(), and every layer's keys
  /// and values are put there. With those of a former call only the tokens of `window`, among them
  /// the rows, go through the layers: they attend to their own keys and values, and to the kept ones
  /// of all other tokens, whatever these have become meanwhile. The window is the same in all calls
  /// with one `kept`: what is kept of it is nobody's business. Without a gradient.
  virtual Tensor encode_within(const Packed& x, const Rows& rows, const Window& window,
                               KeyValues& kept) const;

  /// The last linear layer, [V, D].
  virtual Tensor head() const = 0;

  virtual const Vocabulary& vocabulary() const = 0;

  /// How many threads should call encode at the same time, each with a piece of the batch.
  virtual int64_t workers() const { return 1; }

  /// Whether equal work is done once, and none that nothing comes of (compute.reuse).
  virtual bool reuse() const { return true; }

  /// Brings up to date what is kept that follows from the weights. Whoever replays recorded work calls
  /// it first: the numbers of weights may have changed since.
  virtual void refresh() const {}

  /// Where work on these weights is recorded to be done again; null where nothing is.
  virtual Recordings* recordings() const { return nullptr; }
};

inline Tensor Denoiser::encode_within(const Packed&, const Rows&, const Window&, KeyValues&) const {
  throw Error("[denoiser] this one has no keys and values to keep: say sampler.cache=none.");
}

}  // namespace gdsd
