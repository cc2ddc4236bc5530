#include "gdsd/denoiser/layers.h"

#include <gtest/gtest.h>

#include "gdsd/tensor/tally.h"

namespace gdsd {
namespace {

/// Bytes that attention and its gradients hold at most: 8 heads of queries, 2 of keys.
int64_t attention_peak(at::Device device) {
  const auto options = at::TensorOptions(at::kFloat).device(device);
  const MemoryTally tally;
  auto heads = [&](int64_t n) { return at::ones({2048, n, 64}, options).requires_grad_(); };
  const Tensor q = heads(8), k = heads(2), v = heads(2);
  attend(q, k, v, {1024, 1024}, {1024, 1024}).sum().backward();
  return tally.peak();
}

// A plan is made on meta, a run is not.
TEST(Attend, TakesOnMetaWhatItTakesOnTheCpu) {
  const auto planned = static_cast<double>(attention_peak(at::kMeta)),
             measured = static_cast<double>(attention_peak(at::kCPU));
  EXPECT_NEAR(planned / measured, 1, 0.1) << planned << " planned, " << measured << " measured";
}

TEST(Project, OfOneInputCastsItOnceForAllAdapters) {
  const int64_t N = 128, D = 32;
  const auto meta = at::TensorOptions(at::kMeta);
  auto linear = [&] {
    return Linear{.weight = at::empty({D, D}, meta.dtype(at::kBFloat16)),
                  .bias = {},
                  .adapter = {.A = at::empty({2, D}, meta).requires_grad_(),
                              .B = at::empty({D, 2}, meta).requires_grad_()}};
  };
  const Linear q = linear(), k = linear(), v = linear();
  const Tensor x = at::empty({N, D}, meta.dtype(at::kBFloat16));
  auto kept = [&](auto&& run) {
    const MemoryTally tally;
    const std::vector<Tensor> out = run();
    return tally.meta();
  };
  const int64_t shared = kept([&] {
    const Input input(x);
    return std::vector{project(input, q), project(input, k), project(input, v)};
  });
  const int64_t apart = kept([&] {
    return std::vector{project(x, q), project(x, k), project(x, v)};
  });
  EXPECT_EQ(apart - shared, 2 * N * D * int64_t{sizeof(float)});
}

}  // namespace
}  // namespace gdsd
