// What the golden tests of tensors share.
#pragma once

#include "gdsd/tensor/safetensors.h"
#include "tests/golden_test/registry.h"

namespace gdsd::golden {

/// A fixture that is there while what it pins is not: listed after the tests.
void add_skip(const std::string& suite, const std::string& name, const std::string& what);

/// |got − expected| ≤ relative · max |expected| + absolute, everywhere, and the same shape.
inline void expect_close(const Tensor& got, const Tensor& expected, double relative,
                         double absolute, const std::string& name) {
  ASSERT_EQ(got.sizes(), expected.sizes()) << name;
  if (expected.numel() == 0) return;
  const Tensor wide = expected.detach().to(at::kDouble);
  const double bound = relative * wide.abs().max().item<double>() + absolute;
  const double error = (got.detach().to(at::kDouble) - wide).abs().max().item<double>();
  EXPECT_LE(error, bound) << name;
}
inline void expect_close(double got, double expected, double relative, double absolute,
                         const std::string& name) {
  EXPECT_NEAR(got, expected, relative * std::abs(expected) + absolute) << name;
}

// Each adds the tests of one folder.
void add_objectives(const path& folder);
void add_models(const path& folder);
void add_samplers(const path& folder);
void add_lora(const path& folder);
void add_tokenizers(const path& folder);

// Each adds the tests of one case of objectives/cases.json.
void add_pair_loss(const json& fixture, const path& folder);
void add_single_loss(const json& fixture, const path& folder);
void add_advantage(const json& fixture, const path& folder);
void add_counts(const json& fixture, const path& folder);
void add_trace_rows(const json& fixture, const path& folder);

}  // namespace gdsd::golden
