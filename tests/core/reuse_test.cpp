// Work done once where the plain path does it again: bits are equal.
#include <ATen/Parallel.h>
#include <c10/core/GradMode.h>
#include <gtest/gtest.h>

#include "tests/core/kernel_fixture.h"

namespace gdsd {
namespace {

/// Four rollouts of two prompts: in the first step two sequences.
Samples sampled(const Transformer& model) {
  const std::vector<int64_t> tokens{3, 4, 5, 3, 4, 5, 6, 7, 6, 7};
  SamplerOptions o;
  o.gen_length = 12;
  o.block_length = 6;
  o.steps = 6;
  o.temperature = 1.0;
  return sample(model, {to_tensor(tokens), {3, 3, 2, 2}}, o, rollout_keys(4));
}

// On one thread: several share a product by its height, and a row of another share may be rounded
// otherwise.
TEST(Reuse, OfEqualWorkChangesNoBit) {
  const int threads = at::get_num_threads();
  at::set_num_threads(1);
  for (const ArchitectureOptions& options : families())
    for (at::ScalarType type : kTypes) {
      const ModelConfig made = tiny_model_config(options);
      const TensorMap weights = init_weights(made.architecture, {3});
      Compute compute{.dtype = type};
      const Transformer once(made, weights, compute);
      compute.reuse = false;
      const Transformer again(made, weights, compute);
      const c10::NoGradGuard no_grad;
      const Packed x{to_tensor<int64_t>({3, 4, 5, 6, 3, 4, 5, 6, 3, 4, 6, 6, 6, 6}), {4, 4, 2, 4}};
      for (const Rows& rows : {Rows{to_tensor<int64_t>({1, 2, 5, 6, 9, 10}), {2, 2, 1, 1}},
                               Rows{to_tensor<int64_t>({1, 2, 5, 7, 9, 10}), {2, 2, 1, 1}}})
        EXPECT_TRUE(once.encode(x, rows).equal(again.encode(x, rows)));
      const Samples a = sampled(once), b = sampled(again);
      EXPECT_TRUE(a.sequences.tokens.equal(b.sequences.tokens));
      EXPECT_TRUE(a.step.equal(b.step));
    }
  at::set_num_threads(threads);
}

}  // namespace
}  // namespace gdsd
