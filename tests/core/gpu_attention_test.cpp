// Attention as a GPU does it, on the CPU, against the kernels for CPUs.
#include "gdsd/denoiser/gpu_attention.h"

#include <gtest/gtest.h>

#include "tests/core/kernel_fixture.h"

namespace gdsd {
namespace {

TEST(GpuAttention, IsThatOfTheCpu) {
  const std::vector<int64_t> queries{5, 1, 0}, keys{9, 4, 3};
  for (at::ScalarType type : kTypes)
    for (int64_t group : {1, 3}) {
      const Tensor q = noise({6, group * 16}, "q", type), k = noise({16, 16}, "k", type),
                   v = noise({16, 16}, "v", type), d = noise({6, group * 16}, "d", type);
      const AttendedBy by{q, k, v, queries, keys, 8};
      const Attended gpu = gpu_attend(by), cpu = fused_attend(by);
      EXPECT_LE(error(gpu.out, cpu.out), type == at::kBFloat16 ? 4 : 100);
      EXPECT_LE(error(gpu.lse, cpu.lse), 100);
      const auto got = gpu_attend_gradient(by, gpu, d), wanted = fused_attend_gradient(by, cpu, d);
      for (size_t i = 0; i < got.size(); ++i)
        EXPECT_LE(error(got[i], wanted[i]), type == at::kBFloat16 ? 8 : 100);
    }
}

}  // namespace
}  // namespace gdsd
