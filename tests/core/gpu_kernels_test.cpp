// How tensors are handed to the kernels for GPUs, with those kernels' rows on the host in their place.
#include "gdsd/tensor/gpu_kernels.h"

#include <gtest/gtest.h>

#include "gdsd/cuda/host_table.h"
#include "gdsd/denoiser/fused_parts.h"
#include "tests/core/kernel_fixture.h"

namespace gdsd {
namespace {

constexpr CudaTable<float> kFloat32 = cuda::host_table<float>();
constexpr CudaTable<Bfloat16> kBfloat16 = cuda::host_table<Bfloat16>();
const GpuKernels kHost(kFloat32, kBfloat16, /*stream=*/nullptr);

/// What two kernels may differ by: a rounding, and of sums in float32 a few.
double most_units(at::ScalarType type) { return type == at::kBFloat16 ? 2 : 40; }

TEST(GpuKernels, NormAndItsGradientAreThoseOfTheCpu) {
  for (at::ScalarType type : kTypes) {
    const Tensor x = noise({13, 70}, "x", type), w = noise({70}, "w", type),
                 d_y = noise({13, 70}, "d_y", type), d_sum = noise({13, 70}, "d_sum", type);
    const Normed cpu = fused_norm(x, w, 1e-5);
    const Tensor y = at::empty_like(x), inverse = at::empty_like(cpu.inverse);
    kHost.norm(x, w, 1e-5, y, inverse);
    EXPECT_LE(error(y, cpu.y), most_units(type));
    EXPECT_LE(error(inverse, cpu.inverse), most_units(at::kFloat));
    for (const Tensor& more : {d_sum, Tensor()}) {
      const Tensor d_w = noise({70}, "d_w", at::kFloat), cpu_d_w = d_w.clone(),
                   d_x = at::empty_like(x);
      kHost.norm_gradient(x, w, inverse, d_y, more, d_x, d_w);
      EXPECT_LE(error(d_x, fused_norm_gradient(x, w, inverse, d_y, more, cpu_d_w)),
                most_units(type));
      EXPECT_LE(error(d_w, cpu_d_w), most_units(at::kFloat));
      kHost.norm_gradient(x, w, inverse, d_y, more, d_x, Tensor());
    }
  }
}

TEST(GpuKernels, RotationIsThatOfTheCpu) {
  const Packed packed{at::zeros({12}, at::kLong), {5, 7}};
  for (at::ScalarType type : kTypes)
    for (at::ScalarType tables : kTypes)
      for (double sign : {1, -1}) {
        const Rope rope = rope_tables(packed, 10, 10000, tables);
        const Tensor gpu = noise({12, 30}, "x", type), cpu = gpu.clone();
        kHost.rotate(gpu, rope.cos.to(at::kFloat), rope.sin.to(at::kFloat), rope.position, sign,
                     tables == at::kBFloat16);
        fused_rotate(cpu, rope, sign);
        EXPECT_LE(error(gpu, cpu), most_units(type));
      }
}

TEST(GpuKernels, SwigluAndItsGradientAreThoseOfTheCpu) {
  for (at::ScalarType type : kTypes) {
    const Tensor gate = noise({9, 21}, "gate", type), up = noise({9, 21}, "up", type),
                 d_y = noise({9, 21}, "d", type);
    const Tensor y = at::empty_like(up), d_gate = at::empty_like(up), d_up = at::empty_like(up);
    kHost.swiglu(gate, up, y);
    kHost.swiglu_gradient(gate, up, d_y, d_gate, d_up);
    const auto cpu = fused_swiglu_gradient(gate, up, d_y);
    EXPECT_LE(error(y, fused_swiglu(gate, up)), most_units(type));
    EXPECT_LE(error(d_gate, cpu[0]), most_units(type));
    EXPECT_LE(error(d_up, cpu[1]), most_units(type));
  }
}

// The token is the same, bit for bit (E0).
TEST(GpuKernels, ProposalsAreThoseOfTheCpu) {
  const auto keys = rollout_keys(60);
  std::vector<int64_t> bits;
  for (Key key : keys) bits.push_back(static_cast<int64_t>(key.bits));
  for (at::ScalarType type : kTypes)
    for (const ProposalOptions& options :
         {ProposalOptions{.temperature = 1}, ProposalOptions{.temperature = 0.3, .usable = 150},
          ProposalOptions{.temperature = 2, .banned = {3, 8, 100, 101}},
          ProposalOptions{.banned = {1, 7}, .usable = 40}, ProposalOptions{}}) {
      const Tensor hidden = noise({60, 8}, "hidden", type), weight = noise({211, 8}, "W", type);
      const Proposal cpu = propose(hidden, weight, options, keys);
      const Proposal gpu{at::empty_like(cpu.token), at::empty_like(cpu.log_p),
                         at::empty_like(cpu.entropy), at::empty_like(cpu.margin)};
      kHost.propose(hidden.matmul(weight.t()), options,
                    options.temperature > 0 ? to_tensor(bits) : Tensor(), gpu);
      EXPECT_TRUE(gpu.token.equal(cpu.token));
      EXPECT_LE(max_difference(gpu.log_p, cpu.log_p), 1e-5);
      EXPECT_LE(max_difference(gpu.entropy, cpu.entropy), 1e-5);
      EXPECT_LE(max_difference(gpu.margin, cpu.margin), 1e-6);
    }
  EXPECT_TRUE(GpuKernels::can_ban({1, 2, 3, 4}));
  EXPECT_FALSE(GpuKernels::can_ban({1, 2, 3, 4, 5}));
}

TEST(GpuKernels, LogProbsAndTheirGradientAreTheirFormulas) {
  for (at::ScalarType type : kTypes) {
    const Tensor z = noise({6, 77}, "z", type), g = noise({6}, "g", at::kFloat),
                 target = random_tokens(6, 77, "target");
    const Tensor log_z = at::empty_like(g), log_p = at::empty_like(g), d = z.clone();
    kHost.log_probs(z, target, log_z, log_p);
    kHost.log_probs_gradient(d, log_z, target, g);
    const Tensor exact = z.to(at::kDouble).log_softmax(-1);
    const Tensor hit = at::one_hot(target, 77);
    EXPECT_LE(max_difference(log_p, exact.gather(1, target.unsqueeze(1)).squeeze(1)), 1e-5);
    EXPECT_LE(max_difference(log_z, z.to(at::kDouble).logsumexp(-1)), 1e-5);
    EXPECT_LE(error(d, (hit - exact.exp()) * g.unsqueeze(1)), most_units(type));
  }
}

TEST(GpuKernels, OtherTypesAndGapsAreRefused) {
  const Tensor x = noise({4, 6}, "x", at::kFloat), y = at::empty_like(x);
  EXPECT_THROW(kHost.swiglu(x, x.to(at::kBFloat16), y), Error);
  EXPECT_THROW(kHost.swiglu(x, at::empty({6, 4}).t(), y), Error);
}

TEST(GpuKernels, AFailureIsAnError) {
  CudaTable<float> broken = kFloat32;
  broken.swiglu = [](const Swiglu<float>&, CudaStream) -> CudaFailure { return "no device"; };
  const Tensor x = noise({4, 6}, "x", at::kFloat);
  try {
    GpuKernels(broken, kBfloat16, nullptr).swiglu(x, x, at::empty_like(x));
    FAIL() << "expected an error";
  } catch (const Error& error) {
    EXPECT_NE(
        std::string(error.what()).find("swiglu of Float [4, 6] could not be started: no device"),
        std::string::npos)
        << error.what();
  }
}

}  // namespace
}  // namespace gdsd
