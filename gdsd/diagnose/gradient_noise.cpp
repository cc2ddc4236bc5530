#include "gdsd/diagnose/gradient_noise.h"

#include <cmath>
#include <limits>

#include "gdsd/masking/scores.h"
#include "gdsd/train/backward.h"

namespace gdsd {

namespace {

/// The gradient of the loss at the old denoiser, flat, float64, on the CPU.
Tensor gradient(const Transformer& old, const Draw& draw, int64_t K,
                const ObjectiveOptions& objective, int64_t batch) {
  Scored all{.views = first_views(draw.views, K), .batch = batch_of(draw, draw.batch.log_p_old, K)};
  const int64_t B = all.views.rollouts.size(), passes = all.views.hidden.size(0);
  const int64_t micro = piece_size(B, std::max<int64_t>(1, batch / passes), old);
  std::vector<Scored> parts = split(all, micro);
  std::vector<Loss> losses(parts.size());
  backward_in_pieces(old, std::ssize(parts), [&](const Denoiser& worker, int64_t i) {
    Batch& part = parts[i].batch;
    part.log_p = log_probs(worker, parts[i].views);
    part.log_p_old = part.log_p_ref = part.log_p.detach();
    losses[i] = loss(part, objective);
    return losses[i].sum;
  });
  double count = 0;
  for (const Loss& l : losses) count += l.count;
  std::vector<Tensor> flat;
  for (const auto& [name, parameter] : old.trainable()) {
    const Tensor& g = parameter.grad();
    flat.push_back((g.defined() ? g : at::zeros_like(parameter.detach())).flatten().cpu());
    parameter.mutable_grad() = Tensor();
  }
  return at::cat(flat).to(at::kDouble) / std::max(count, 1.0);
}

}  // namespace

GradientNoise gradient_noise(const Transformer& old, std::span<const Draw> draws, int64_t K,
                             const ObjectiveOptions& objective, int64_t batch) {
  Tensor sum;
  double squares = 0;  // Σ ‖g‖²
  for (const Draw& draw : draws) {
    const Tensor g = gradient(old, draw, K, objective, batch);
    sum = sum.defined() ? sum + g : g;
    squares += g.square().sum().item<double>();
  }
  const auto R = static_cast<double>(draws.size());
  const double mean = (sum / R).square().sum().item<double>();  // ‖ḡ‖²
  double variance = R < 2 ? 0 : (squares - R * mean) / (R - 1);
  if (variance < 1e-9 * mean) variance = 0;  // rounding: all draws are the same
  const double signal = mean - variance / R;
  if (!(signal > 0)) return {NAN, NAN};
  return {.size = std::sqrt(signal), .noise = std::sqrt(variance / signal)};
}

}  // namespace gdsd
