// What a denoising step asks of the denoiser: guided, and with the keys and values that `cache` keeps.
#pragma once

#include <array>

#include "gdsd/sampler/sampler.h"

namespace gdsd {

/// The states of one canvas, step after step.
class States {
 public:
  /// completion [B, C]: where completion tokens lie in the canvas, on its device.
  States(const Denoiser& denoiser, const SamplerOptions& options, const Tensor& completion)
      : denoiser_(denoiser), o_(options), completion_(completion) {}

  /// From here on steps are on completion tokens begin … end − 1.
  void begin_block(int64_t begin, int64_t end);

  /// The states of `rows` of x, [R, D].
  Tensor at(const Packed& x, const Rows& rows);

 private:
  Tensor encode(const Packed& x, const Rows& rows, KeyValues& kept) const;
  Window window(const Packed& x) const;

  const Denoiser& denoiser_;
  const SamplerOptions& o_;
  const Tensor completion_;
  int64_t begin_ = 0, end_ = 0;    // the block
  int64_t calls_ = 0;              // in it
  std::array<KeyValues, 2> kept_;  // with the prompt, and without
};

}  // namespace gdsd
