// Nobody holds logits [B, L, V]: what rollouts and scores need above the weights.
#include <c10/core/GradMode.h>
#include <gtest/gtest.h>

#include "gdsd/bench/machine.h"
#include "gdsd/masking/scores.h"
#include "tests/core/table_denoiser.h"
#include "tests/core/tiny_model.h"

namespace gdsd {
namespace {

constexpr int64_t kV = 126464, kB = 4, kP = 16, kC = 240;
constexpr int64_t kAllLogits = kB * (kP + kC) * kV * 4;  // bytes, float32: 518 MB
constexpr int64_t kFewTiles = 4 * (int64_t{1} << 24);    // of 2²² logits in float32

Transformer wide_vocabulary() {
  const ModelConfig config =
      make_model_config(LladaConfig{.d_model = 16,
                                    .n_layers = 1,
                                    .n_heads = 2,
                                    .n_kv_heads = 2,
                                    .mlp_hidden_size = 16,
                                    .max_sequence_length = 512},
                        {.size = kV, .mask_id = 1, .eos_id = 2, .pad_id = 0});
  return {config, init_weights(config.architecture, {3}), Compute{}};
}

/// The most memory that a second run of `body` takes above what there was before it.
int64_t taken(const std::function<void()>& body) {
  body();
  release_freed_memory();
  PeakMemory peak(at::kCPU);
  const int64_t before = resident_bytes();
  body();
  return peak.bytes() - before;
}

TEST(Memory, OfRolloutsAndScoresIsAFewTiles) {
#if defined(__SANITIZE_ADDRESS__)
  GTEST_SKIP() << "the sanitizer keeps what is freed";
#endif
  const c10::NoGradGuard no_grad;
  const Transformer model = wide_vocabulary();
  const Packed prompts{random_tokens(kB * kP, kV, "prompt"), std::vector<int64_t>(kB, kP)};
  Samples samples;
  const int64_t rollout = taken([&] {
    samples = sample(model, prompts,
                     {.gen_length = kC, .block_length = kC, .steps = 2, .temperature = 1.0},
                     rollout_keys(kB));
  });
  EXPECT_LT(rollout, kFewTiles);
  const Completed done{samples.sequences, kC, std::vector<int64_t>(kB, kC), {}};
  const Views views = mask(done, {}, kB, {1});
  EXPECT_LT(taken([&] { log_probs(model, views); }), kFewTiles);
  // What would be seen if anyone did.
  EXPECT_GT(taken([] { at::ones({kB * (kP + kC), kV}); }), kAllLogits * 3 / 4);
}

}  // namespace
}  // namespace gdsd
