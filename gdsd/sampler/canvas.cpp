#include "gdsd/sampler/canvas.h"

namespace gdsd {

Packed append_masks(const Packed& prompts, int64_t C, int64_t mask_id) {
  std::vector<Tensor> parts;
  Packed x;
  int64_t begin = 0;
  for (int64_t P : prompts.lengths) {
    parts.push_back(prompts.tokens.slice(0, begin, begin + P));
    parts.push_back(at::full({C}, mask_id, prompts.tokens.options()));
    x.lengths.push_back(P + C);
    begin += P;
  }
  x.tokens = at::cat(parts);
  return x;
}

Tensor guided_states(const Denoiser& denoiser, const Packed& x, const Rows& rows,
                     const Tensor& completion, double scale) {
  Tensor states = denoiser.encode(x, rows);  // [R, D]
  if (scale == 0.0) return states;
  Packed promptless{at::full_like(x.tokens, denoiser.vocabulary().mask_id), x.lengths};
  const Tensor places = completion.flatten();
  promptless.tokens.index_copy_(0, places, x.tokens.index_select(0, places));
  return states + scale * (states - denoiser.encode(promptless, rows));
}

}  // namespace gdsd
