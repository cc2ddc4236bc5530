// The vocabulary head on the kernels for CPUs: log-probabilities and proposals.
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include "gdsd/tensor/proposal.h"
#include "gdsd/tensor/vocabulary_head.h"
#include "tests/core/kernel_fixture.h"

namespace gdsd {
namespace {

class LogitKernels : public Kernels {};

TEST_P(LogitKernels, LogProbIsItsFormula) {
  for (at::ScalarType type : kTypes)
    for (int64_t V : {1, 7, 64, 1003}) {
      const Tensor hidden = noise({11, 8}, "hidden", type), weight = noise({V, 8}, "weight", type);
      const Tensor target = random_tokens(11, V, "target"),
                   factor = noise({11}, "factor", at::kFloat);
      const std::vector<Tensor> given{hidden.clone().requires_grad_(),
                                      weight.clone().requires_grad_()};
      const Tensor got = log_prob(given[0], given[1], target, 3 * V);
      const auto d = torch::autograd::grad({got}, given, {factor});
      const auto exact = wide({hidden, weight});
      const Tensor plain =
          exact[0].mm(exact[1].t()).log_softmax(-1).gather(1, target.unsqueeze(1)).squeeze(1);
      const auto wanted = torch::autograd::grad({plain}, exact, {factor.to(at::kDouble)});
      if (V == 1) {
        EXPECT_LE(got.abs().max().item<double>(), 1e-6);
        continue;
      }
      // In bfloat16 logits are rounded: of a size of 8, to 2⁻⁶.
      EXPECT_LE(max_difference(got.detach(), plain.detach()), type == at::kFloat ? 2e-5 : 0.04);
      EXPECT_LE(error(d[0], wanted[0]), type == at::kFloat ? 100 : 12);
      EXPECT_LE(error(d[1], wanted[1]), type == at::kFloat ? 100 : 12);
    }
}

/// Proposals for rows of random states, from nearly certain to nearly even.
Proposal proposals_of(int64_t R, int64_t V, at::ScalarType type, const ProposalOptions& options) {
  const Tensor sharp = at::linspace(0.1, 6, R).unsqueeze(1).to(type);
  return propose(noise({R, 8}, "hidden", type) * sharp, noise({V, 8}, "weight", type), options,
                 rollout_keys(R));
}

// The same token, of the same noise in float64: E0. What is said of it differs by rounding.
TEST_P(LogitKernels, HideNoBadNumber) {
  for (at::ScalarType type : kTypes)
    for (float bad : {NAN, HUGE_VALF}) {
      const Tensor hidden = at::eye(3, at::TensorOptions(type)).slice(0, 0, 2);
      Tensor weight = noise({40, 3}, "weight", type);
      weight[17][0] = bad;  // a logit of the first row, and 0 times it one of the second
      const Tensor given = hidden.clone().requires_grad_();
      const Tensor got = log_prob(given, weight, to_tensor<int64_t>({3, 17}));
      EXPECT_TRUE(got.isnan().all().item<bool>());
      got.sum().backward();
      EXPECT_TRUE(given.grad().isnan().all().item<bool>());
      const Proposal proposal = propose(hidden, weight, {}, std::vector<Key>(2));
      EXPECT_TRUE(proposal.log_p.isnan().all().item<bool>());
    }
}

TEST_P(LogitKernels, ProposeWhatLibtorchsOperationsPropose) {
  const std::vector<ProposalOptions> all{{.temperature = 1.0},
                                         {.temperature = 0.05},
                                         {.temperature = 3.0, .banned = {3}, .usable = 90},
                                         {.banned = {0, 5, 200}},
                                         {.banned = {1}, .usable = 40}};
  for (at::ScalarType type : kTypes)
    for (int64_t V : {97, 128, 1500})
      for (const ProposalOptions& options : all) {
        ProposalOptions within = options;
        std::erase_if(within.banned, [&](int64_t id) { return id >= V; });
        const Proposal got = proposals_of(300, V, type, within);
        use_kernels(KernelChoice::kOff);
        const Proposal plain = proposals_of(300, V, type, within);
        use_kernels(GetParam());
        // At temperature 0 and between, logits of the same product: there are no near ties.
        EXPECT_TRUE(got.token.equal(plain.token)) << V << " " << options.temperature;
        EXPECT_LE(max_difference(got.log_p, plain.log_p), 1e-5);
        EXPECT_LE(max_difference(got.entropy, plain.entropy), 1e-4);
        EXPECT_LE(max_difference(got.margin, plain.margin), 1e-5);
      }
}

INSTANTIATE_TEST_SUITE_P(All, LogitKernels, kEveryInstructionSet,
                         [](const auto& kernels) { return to_text(kernels.param); });

}  // namespace
}  // namespace gdsd
