#include "gdsd/train/gradient.h"

namespace gdsd {

Loss loss_and_gradient(const Transformer& denoiser, const Scored& pass,
                       const ObjectiveOptions& objective, int64_t micro) {
  std::vector<Scored> parts = split(pass, micro);
  std::vector<Loss> losses(parts.size());
  backward_in_pieces(denoiser, std::ssize(parts), [&](const Denoiser& worker, int64_t i) {
    Batch& batch = parts[i].batch;
    batch.log_p = log_probs(worker, parts[i].views);
    if (!batch.log_p_old.defined()) batch.log_p_old = batch.log_p.detach();
    losses[i] = loss(batch, objective);
    return losses[i].sum;
  });
  Loss total;
  for (const Loss& part : losses) total += part;
  total.count = std::max(total.count, 1.0);  // nothing scored: the gradient is 0
  return total;
}

}  // namespace gdsd
