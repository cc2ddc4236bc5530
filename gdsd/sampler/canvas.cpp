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

}  // namespace gdsd
