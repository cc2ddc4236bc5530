// Monte Carlo estimators of KL(p_θ ‖ p_ref) from one sample's log-ratio r = log p_θ − log p_ref.
// Schulman 2020, joschu.net/blog/kl-approx.html.
#pragma once

#include <array>

#include "gdsd/tensor/tensor.h"

namespace gdsd {

enum class Kl {
  kK1,     // r, with the gradient (1 + r) ∇r, whose expectation is that of the KL
  kK2,     // ½ r²
  kK3,     // e^(−r) − 1 + r
  kPlain,  // r, with the gradient ∇r, whose expectation is 0: TraceRL's k1
};
constexpr auto enum_names(Kl) { return std::array{"k1", "k2", "k3", "plain"}; }

/// r of any shape → the same shape.
inline Tensor kl(Kl estimator, const Tensor& r) {
  switch (estimator) {
    case Kl::kK1: return r + (r - r.detach()) * r.detach();
    case Kl::kK2: return r.square() / 2;
    case Kl::kK3: return (-r).exp() - 1 + r;
    case Kl::kPlain: return r;
  }
  throw std::logic_error("[kl] unhandled estimator");
}

}  // namespace gdsd
