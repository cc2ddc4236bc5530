// Work done once where the plain path does it again: bits are equal.
#include <ATen/Parallel.h>
#include <c10/core/GradMode.h>
#include <gtest/gtest.h>

#include "gdsd/denoiser/reuse.h"
#include "gdsd/masking/scores.h"
#include "tests/core/kernel_fixture.h"

namespace gdsd {
namespace {

/// Four rollouts of two prompts: in the first step two sequences. With a threshold some are done
/// sooner than others; with 24 steps, half of which keep nothing.
Samples sampled(const Transformer& model, int64_t steps, double threshold) {
  const std::vector<int64_t> tokens{3, 4, 5, 3, 4, 5, 6, 7, 6, 7};
  SamplerOptions o;
  o.gen_length = 12;
  o.block_length = 6;
  o.steps = steps;
  o.temperature = 1.0;
  o.threshold = threshold;
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
                               Rows{to_tensor<int64_t>({1, 2, 9, 10}), {2, 0, 1, 1}},
                               Rows{to_tensor<int64_t>({1, 2, 5, 7, 9, 10}), {2, 2, 1, 1}}})
        EXPECT_TRUE(once.encode(x, rows).equal(again.encode(x, rows)));
      // libtorch's products of fewer than four rows add in another order.
      for (const Rows& few : {Rows{to_tensor<int64_t>({1}), {1, 0, 0, 0}},
                              Rows{to_tensor<int64_t>({5, 9}), {0, 1, 1, 0}},
                              Rows{to_tensor<int64_t>({1, 5, 13}), {1, 1, 0, 1}}})
        if (rows_are_apart(type)) {
          EXPECT_TRUE(once.encode(x, few).equal(again.encode(x, few)));
        }
      for (auto [steps, threshold] : {std::pair{6, 0.0}, {24, 0.0}, {6, 0.3}}) {
        const Samples a = sampled(once, steps, threshold), b = sampled(again, steps, threshold);
        EXPECT_TRUE(a.sequences.tokens.equal(b.sequences.tokens));
        EXPECT_TRUE(a.step.equal(b.step));
      }
    }
  at::set_num_threads(threads);
}

TEST(Reuse, AViewAndItsComplementTogetherAreThoseApart) {
  const Transformer model = tiny_llada();
  if (!rows_are_apart(at::kFloat))
    GTEST_SKIP() << "libtorch's products of other heights round otherwise";
  const c10::NoGradGuard no_grad;
  const Completed x0{{random_tokens(24, kTinyVocabulary.size, "x"), {9, 8, 7}},
                     5,
                     {5, 5, 5},
                     at::zeros({3, 5}, at::kLong)};
  const Views pair = mask(x0, {}, 3, Key{3});
  ASSERT_EQ(pair.asked.size(0), 2) << "a view and its complement";
  std::vector<Tensor> apart;
  for (int64_t pass : {0, 1}) {
    Views one = pair;
    one.asked = pair.asked.clone();
    one.asked[1 - pass].zero_();
    apart.push_back(log_probs(model, one));
  }
  EXPECT_TRUE(log_probs(model, pair).equal(apart[0] + apart[1]));
}

TEST(Reuse, SequencesOfWhichNothingIsAskedAreLeftOut) {
  const Packed x{to_tensor<int64_t>({3, 4, 5, 6, 7, 8, 9}), {2, 3, 2}};
  const auto asked = asked_sequences(x, {to_tensor<int64_t>({1, 6}), {1, 0, 1}});
  ASSERT_TRUE(asked);
  EXPECT_EQ(to_vector<int64_t>(asked->x.tokens), (std::vector<int64_t>{3, 4, 8, 9}));
  EXPECT_EQ(asked->x.lengths, (std::vector<int64_t>{2, 2}));
  EXPECT_EQ(to_vector<int64_t>(asked->rows.index), (std::vector<int64_t>{1, 3}));
  EXPECT_EQ(asked->rows.counts, (std::vector<int64_t>{1, 1}));
  EXPECT_FALSE(asked_sequences(x, {to_tensor<int64_t>({1, 2, 6}), {1, 1, 1}}));
  EXPECT_FALSE(asked_sequences(x, {to_tensor(std::vector<int64_t>{}), {0, 0, 0}}));
}

}  // namespace
}  // namespace gdsd
