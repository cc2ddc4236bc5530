#include "gdsd/train/gradient.h"

#include <torch/csrc/autograd/autograd.h>

namespace gdsd {

Loss loss_and_gradient(const Transformer& denoiser, const Scored& pass,
                       const ObjectiveOptions& objective, int64_t micro) {
  std::vector<Scored> parts = split(pass, micro);
  std::vector<Loss> losses(parts.size());
  backward_in_pieces(denoiser, std::ssize(parts), [&](const Denoiser& worker, int64_t i) {
    Batch& batch = parts[i].batch;
    const Tensor scores = log_probs(worker, parts[i].views);  // carries the denoiser's gradient
    batch.log_p = scores.detach().requires_grad_();
    if (!batch.log_p_old.defined()) batch.log_p_old = scores.detach();
    losses[i] = loss(batch, objective);
    const Tensor d = torch::autograd::grad({losses[i].sum}, {batch.log_p})[0];
    // All advantages may be 0, or all of the loss clipped.
    const bool nothing = denoiser.compute().reuse && !d.any().item<bool>();
    return nothing ? Tensor() : (scores * d).sum();
  });
  Loss total;
  for (const Loss& part : losses) total += part;
  total.count = std::max(total.count, 1.0);  // nothing scored: the gradient is 0
  return total;
}

}  // namespace gdsd
