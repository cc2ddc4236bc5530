// Which options of the sampler are refused, and what the error says.
#include <gtest/gtest.h>

#include "gdsd/sampler/sampler.h"
#include "tests/core/table_denoiser.h"
#include "tests/error_of.h"

namespace gdsd {
namespace {

std::string sampler_error(const SamplerOptions& o, int64_t keys = 1) {
  return error_of([&] {
    sample(TableDenoiser{}, pack(at::zeros({1, 2}, at::kLong)), o, rollout_keys(keys));
  });
}

TEST(Sampler, RefusesWhatDoesNotDivide) {
  EXPECT_EQ(sampler_error({.gen_length = 16, .block_length = 8, .steps = 7}),
            "steps: got 7, expected a multiple of the 2 blocks (gen_length / block_length).");
  EXPECT_EQ(sampler_error({.gen_length = 16, .block_length = 6, .steps = 8}),
            "block_length: 6 does not divide gen_length 16.");
  EXPECT_EQ(sampler_error({.gen_length = 4, .block_length = 4, .steps = 4, .temperature = -1}),
            "temperature: must not be negative, got -1.");
  EXPECT_EQ(sampler_error({.gen_length = 4, .block_length = 4, .steps = 4}, 2),
            "[sample] got 2 keys for 1 prompts.");
}

TEST(Sampler, RefusesOptionsThatDoNotGoTogether) {
  auto refused = [](const SamplerOptions& o) {
    try {
      o.validate();
    } catch (const FieldError& e) {
      return e.path;
    }
    return std::string();
  };
  EXPECT_EQ(refused({.remasking = Remasking::kOrigin}), "remasking");
  EXPECT_EQ(refused({.remasking = Remasking::kEntropy, .threshold = 0.9}), "threshold");
  EXPECT_EQ(refused({.top_p = 0.9, .noise = Noise::kBf16Compat}), "noise");
  EXPECT_EQ(refused({.top_p = 0}), "top_p");
  EXPECT_EQ(refused({.block_length = 0, .steps = 0}), "");
}

}  // namespace
}  // namespace gdsd
