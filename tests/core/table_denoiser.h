// What the tests of the core share: a denoiser whose answers a formula gives, and small helpers.
#pragma once

#include <span>

#include "gdsd/denoiser/denoiser.h"
#include "gdsd/sampler/sampler.h"
#include "gdsd/tensor/random.h"

namespace gdsd {

/// A denoiser given by a formula of position, token and context: its states are its logits and its
/// head the identity, so nothing about it depends on the batch, to the last bit.
struct TableDenoiser : Denoiser {
  Vocabulary vocab{.size = 11, .mask_id = 10, .eos_id = 9, .pad_id = 8};
  int64_t likely = 8;  // tokens from this one on are never proposed

  Tensor logits(const Packed& x) const {  // [N, V]
    std::vector<Tensor> all;
    const auto at = x.offsets();
    const auto f64 = at::TensorOptions(at::kDouble);
    for (int64_t b = 0; b < x.size(); ++b) {
      const int64_t L = x.lengths[b];
      const Tensor tokens = x.tokens.slice(0, at[b], at[b + 1]).to(at::kDouble);
      const Tensor i = at::arange(L, f64).unsqueeze(1), v = at::arange(vocab.size, f64);
      const Tensor context = (tokens * at::arange(1, L + 1, f64)).sum();
      all.push_back(3.0 * at::sin(0.7 * i + 1.3 * v + 0.01 * context));
      all.back().slice(-1, likely).fill_(-1e9);
    }
    return at::cat(all);
  }
  Tensor encode(const Packed& x, const Rows& rows) const override {
    return logits(x).index_select(0, rows.index);
  }
  Tensor head() const override { return at::eye(vocab.size, at::kDouble); }
  const Vocabulary& vocabulary() const override { return vocab; }
};

/// Numbers uniform in (0, 1), float64: the same on every machine.
inline Tensor random_tensor(at::IntArrayRef sizes, std::string_view name) {
  int64_t n = 1;
  for (int64_t size : sizes) n *= size;
  const Key key = Key{7}.fork(name);
  return uniform(std::span(&key, 1), n).view(sizes);
}

inline Tensor random_tokens(int64_t n, int64_t V, std::string_view name) {
  return (random_tensor({n}, name) * V).to(at::kLong);
}

inline std::vector<Key> rollout_keys(int64_t B) {
  std::vector<Key> all;
  for (int64_t b = 0; b < B; ++b) all.push_back(Key{42}.fork("rollout", b));
  return all;
}

/// Tokens [B, L] as B sequences of one length.
inline Packed pack(const Tensor& tokens) {
  return {tokens.flatten(), std::vector<int64_t>(tokens.size(0), tokens.size(1))};
}

/// Every token of `x` asked for.
inline Rows all_rows(const Packed& x) {
  return {at::arange(x.tokens.size(0), at::kLong), x.lengths};
}

/// The last C tokens of every sequence, [B, C].
inline Tensor completions(const Packed& x, int64_t C) {
  return x.tokens.index_select(0, tail_rows(x, C).flatten()).view({-1, C});
}

inline double max_difference(const Tensor& a, const Tensor& b) {
  return a.numel() == 0 ? 0 : (a.to(at::kDouble) - b.to(at::kDouble)).abs().max().item<double>();
}

}  // namespace gdsd
