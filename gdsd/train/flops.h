// The floating-point operations that the results of a phase need: matrix products and attention, a
// multiplication and an addition as two. What a program does besides (norms, softmax, rows that
// nobody asked for, products made again) is not counted, so that its share of a machine's peak
// cannot be raised by needless work.
//
//   n sequences of L tokens, N = n L; R of the tokens are asked for
//   F(role)  = 2 in out              of one of a block's matrices, for a token
//   A        = 4 D L                 attention, for a query: Q Kᵀ and its product with V
//   forward  = N Σ_roles F + N A                              every block but the last
//            + N (F(k) + F(v)) + R (Σ_others F + A)           the last: only what R rows need
//            + R 2 D V                                        the head
//
// Without a gradient an adapter can be merged into its matrices, and is not counted. In training it
// is, a(role) = 2 r (in + out) for a token:
//
//   all weights   3 forward          gradients of inputs and of weights; attention has four products
//                                    there for two
//   an adapter    2 forward          no gradients of frozen weights,
//                 + attention        which attention does not have,
//                 + 3 Σ a            those of A and B and of their inputs,
//                 − N (F(q) + F(k) + F(v))    and none of the embedding, below the first block
#pragma once

#include <map>

#include "gdsd/denoiser/lora.h"

namespace gdsd {

/// What a batch asks of a model.
struct Asked {
  double sequences = 0;  // n
  double length = 0;     // L
  double rows = 0;       // R, of all sequences together
  double tokens = 0;  // N, if only some go through the layers and attend to kept keys; 0: all n L
};

double forward_flops(const Architecture& architecture, const Asked& asked);

/// The rank of the adapter's parts by role; empty where there is no adapter.
std::map<Role, int64_t> adapter_ranks(const Transformer& denoiser);

/// Forward and backward pass, of an adapter of these ranks by role or, if there are none, of all
/// weights.
double learning_flops(const Architecture& architecture, const Asked& asked,
                      const std::map<Role, int64_t>& ranks);

}  // namespace gdsd
