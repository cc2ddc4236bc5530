// What the tests of the kernels for CPUs share.
#pragma once

#include <gtest/gtest.h>

#include "gdsd/tensor/cpu_kernels.h"
#include "tests/core/table_denoiser.h"
#include "tests/core/tiny_model.h"

namespace gdsd {

inline constexpr std::array kTypes{at::kFloat, at::kBFloat16};

/// Runs with one choice of kernels, and puts back what was in use.
class Kernels : public testing::TestWithParam<KernelChoice> {
 protected:
  void SetUp() override {
    try {
      use_kernels(GetParam());
    } catch (const Error& error) {
      GTEST_SKIP() << error.what();
    }
  }
  void TearDown() override { use_kernels(before_); }

 private:
  KernelChoice before_ = kernels_in_use();
};

/// The largest error of x against what it should be, in units of the type's rounding of the largest
/// number, or of 0.1 if that is less: 2⁻²⁴ or 2⁻⁹ of it.
inline double error(const Tensor& x, const Tensor& expected) {
  const double unit = x.scalar_type() == at::kBFloat16 ? 0x1p-9 : 0x1p-24;
  return max_difference(x.detach(), expected.detach()) /
         (unit * std::max(0.1, expected.abs().max().item<double>()));
}

/// Numbers of mean 0 and variance 1 in a type.
inline Tensor noise(at::IntArrayRef sizes, std::string_view name, at::ScalarType type) {
  return ((random_tensor(sizes, name) - 0.5) * std::sqrt(12.0)).to(type);
}

inline std::vector<Tensor> wide(const std::vector<Tensor>& all) {
  std::vector<Tensor> out;
  for (const Tensor& x : all) out.push_back(x.to(at::kDouble).detach().requires_grad_());
  return out;
}

/// Whether a product's rows do not know what is beside them: those of libtorch are rounded otherwise at
/// another height.
inline bool rows_are_apart(at::ScalarType type) {
  return kernels_in_use() != KernelChoice::kOff &&
         makes_products(kernel_instruction_set(), type == at::kBFloat16);
}

/// The same bits where rows are apart, else numbers near enough.
inline void expect_same(const Tensor& a, const Tensor& b, double near) {
  if (rows_are_apart(a.scalar_type())) {
    EXPECT_TRUE(a.equal(b));
  } else {
    EXPECT_LE(max_difference(a, b), near);
  }
}

/// Tiny models of every kind.
inline std::vector<ArchitectureOptions> families() {
  LladaConfig grouped = tiny_config();
  grouped.n_kv_heads = 2;
  return {tiny_config(), grouped,
          DreamConfig{.hidden_size = 24,
                      .num_hidden_layers = 2,
                      .num_attention_heads = 4,
                      .num_key_value_heads = 2,
                      .intermediate_size = 20,
                      .max_position_embeddings = 64}};
}

inline const auto kEveryInstructionSet =
    testing::Values(KernelChoice::kPortable, KernelChoice::kAvx2, KernelChoice::kAvx512);

}  // namespace gdsd
