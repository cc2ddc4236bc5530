#include "gdsd/train/backward.h"

#include "gdsd/tensor/workers.h"

namespace gdsd {

int64_t piece_size(int64_t n, int64_t micro, const Denoiser& denoiser) {
  const int64_t W = denoiser.workers(), share = (n + W - 1) / W;
  return micro > 0 ? std::min(micro, share) : share;
}

void backward_in_pieces(const Transformer& denoiser, int64_t pieces,
                        const std::function<Tensor(const Denoiser&, int64_t)>& loss_of) {
  const int64_t W = std::min(denoiser.workers(), pieces);
  std::vector<Transformer> replicas;
  for (int64_t w = 0; w < W; ++w) replicas.push_back(denoiser.replica());
  run_workers(W, [&](int64_t w) {
    for (int64_t i = w; i < pieces; i += W)
      if (const Tensor loss = loss_of(replicas[w], i); loss.defined()) loss.backward();
  });
  std::vector<TensorMap> parts;
  for (const Transformer& replica : replicas) parts.push_back(replica.trainable());
  for (const auto& [name, parameter] : denoiser.trainable()) {
    Tensor sum;
    for (const TensorMap& part : parts) {
      const Tensor gradient = part.at(name).grad();
      if (gradient.defined()) sum = sum.defined() ? sum + gradient : gradient;
    }
    parameter.mutable_grad() = sum;
  }
}

}  // namespace gdsd
