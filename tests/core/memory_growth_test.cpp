// What rollouts and scores hold at most does not grow with vocabulary times length.
#include <gtest/gtest.h>

#include "gdsd/bench/machine.h"
#include "gdsd/sampler/sampler.h"
#include "gdsd/tensor/tiles.h"
#include "gdsd/train/scoring.h"
#include "tests/core/tiny_model.h"

namespace gdsd {
namespace {

constexpr int64_t kB = 8, kPrompt = 4;

struct Peaks {
  int64_t rollout = 0, score = 0;  // bytes above what was there before
};

/// The most that the process holds in `work` beyond what it held before.
template <class F>
int64_t held(F&& work) {
  release_freed_memory();
  const int64_t before = resident_bytes();
  const PeakMemory peak(at::kCPU);
  work();
  EXPECT_GT(peak.bytes(), 0) << "this system does not let a process measure its peak";
  return peak.bytes() - before;
}

/// Of one denoising step of B completions of C tokens, and of scoring a view and its complement.
Peaks measure(int64_t V, int64_t C) {
  const ModelConfig config =
      make_model_config(LladaConfig{.d_model = 8,
                                    .n_layers = 1,
                                    .n_heads = 1,
                                    .n_kv_heads = 1,
                                    .mlp_hidden_size = 8,
                                    .max_sequence_length = 1024},
                        {.size = V, .mask_id = V - 1, .eos_id = V - 2, .pad_id = V - 2});
  const Transformer denoiser(config, init_weights(config.architecture, Key{1}), Compute{});
  const Packed prompts{at::arange(kB * kPrompt), std::vector<int64_t>(kB, kPrompt)};
  std::vector<Key> keys;
  for (int64_t b = 0; b < kB; ++b) keys.push_back(Key{2}.fork("rollout", b));
  Samples samples;
  Peaks out;
  out.rollout = held([&] {
    samples = sample(denoiser, prompts,
                     {.gen_length = C, .block_length = C, .steps = 1, .temperature = 1.0}, keys);
  });
  const Completed x0{samples.sequences, C, std::vector<int64_t>(kB, C), samples.step};
  const Views views = mask(x0, {}, kB, Key{3});
  out.score = held([&] { score_views(&denoiser, nullptr, views, kB); });
  return out;
}

TEST(Memory, DoesNotGrowWithVocabularyTimesLength) {
#if defined(__SANITIZE_ADDRESS__)
  GTEST_SKIP() << "the sanitizer keeps what is freed";
#endif
  constexpr int64_t C = 128, V = 126464 / 2;
  static_assert(kB * C * V > 2 * kTile, "more than a tile already, so that a tile is held by all");
  measure(1024, 16);  // pages of the program
  const Peaks one = measure(V, C), twice_V = measure(2 * V, C), twice_C = measure(V, 2 * C);
  // Logits of everything would grow by eight times this.
  constexpr int64_t kMost = 4 * kB * C * V / 8;
  EXPECT_LT(twice_V.rollout - one.rollout, kMost);
  EXPECT_LT(twice_C.rollout - one.rollout, kMost);
  EXPECT_LT(twice_V.score - one.score, kMost);
  EXPECT_LT(twice_C.score - one.score, kMost);
}

}  // namespace
}  // namespace gdsd
