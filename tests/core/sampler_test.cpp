#include "gdsd/sampler/sampler.h"

#include <gtest/gtest.h>

#include <functional>
#include <set>

#include "tests/core/table_denoiser.h"
#include "tests/error_of.h"

namespace gdsd {
namespace {

Packed two_prompts() {
  return pack(at::tensor({1, 2, 3, 4, 5, 7, 6, 5, 4, 3}, at::kLong).view({2, 5}));
}

TEST(Sampler, LeavesNoMaskAndKeepsThePrompt) {
  const TableDenoiser denoiser;
  const Tensor prompt = random_tokens(15, 8, "prompt").view({3, 5});
  const Samples out = sample(denoiser, pack(prompt),
                             {.gen_length = 16, .block_length = 8, .steps = 8}, rollout_keys(3));
  EXPECT_FALSE((out.sequences.tokens == 10).any().item<bool>());
  EXPECT_TRUE(out.sequences.tokens.view({3, 21}).slice(1, 0, 5).equal(prompt));
  // Two tokens at each of the eight steps, the first block at the first four.
  for (int64_t s = 0; s < 8; ++s) EXPECT_TRUE((out.step == s).sum(-1).eq(2).all().item<bool>());
  EXPECT_TRUE((out.step.slice(1, 0, 8) < 4).all().item<bool>());
}

TEST(Sampler, DoesNotDependOnTheBatch) {
  const TableDenoiser denoiser;
  const Tensor first = random_tokens(5, 8, "first"), second = random_tokens(9, 8, "second");
  for (auto remasking : {Remasking::kLowConfidence, Remasking::kRandom}) {
    const SamplerOptions o{.gen_length = 16,
                           .block_length = 8,
                           .steps = 8,
                           .temperature = 1.0,
                           .remasking = remasking};
    const auto all = rollout_keys(2);
    const Samples together = sample(denoiser, {at::cat({first, second}), {5, 9}}, o, all);
    const Samples alone = sample(denoiser, {second, {9}}, o, std::span(all).subspan(1));
    EXPECT_TRUE(completions(together.sequences, 16)[1].equal(completions(alone.sequences, 16)[0]));
    EXPECT_TRUE(together.step[1].equal(alone.step[0]));
  }
}

TEST(Sampler, IsAFunctionOfItsKeys) {
  const TableDenoiser denoiser;
  const SamplerOptions o{.gen_length = 16, .block_length = 8, .steps = 8, .temperature = 1.0};
  const auto keys = rollout_keys(3);
  auto tokens = [&](std::span<const Key> k) {
    return sample(denoiser, two_prompts(), o, k).sequences.tokens;
  };
  EXPECT_TRUE(tokens(std::span(keys).first(2)).equal(tokens(std::span(keys).first(2))));
  EXPECT_FALSE(tokens(std::span(keys).first(2)).equal(tokens(std::span(keys).last(2))));
}

// Expected: LLaDA's generate.py, run on this same table denoiser in float64 with
//   steps=8, gen_length=16, block_length=8, temperature=0, mask_id=10, cfg_scale as below.
TEST(Sampler, ProducesLladaTokens) {
  const TableDenoiser denoiser;
  SamplerOptions o{.gen_length = 16, .block_length = 8, .steps = 8};
  auto tokens = [&] {
    const Samples s = sample(denoiser, two_prompts(), o, rollout_keys(2));
    return to_vector<int64_t>(completions(s.sequences, 16));
  };
  EXPECT_EQ(tokens(), (std::vector<int64_t>{3, 3, 7, 4, 6, 3, 3, 3, 4, 3, 4, 3, 3, 4, 3, 6,
                                            3, 3, 2, 4, 2, 3, 3, 3, 6, 4, 3, 4, 3, 3, 4, 3}));
  o.cfg_scale = 1.5;
  EXPECT_EQ(tokens(), (std::vector<int64_t>{7, 3, 7, 7, 4, 6, 3, 3, 4, 3, 4, 3, 3, 4, 3, 6,
                                            7, 3, 7, 7, 4, 1, 3, 3, 4, 4, 4, 4, 3, 3, 4, 3}));
}

/// Tokens [C], then the step at which each was kept [C].
using Trace = std::vector<int64_t>;

/// The greedy sampler by its definition, one sequence, one token after another: `sure` says how
/// sure the model is, given the probabilities [V] of a position.
Trace plain_sampler(const Tensor& prompt, const SamplerOptions& o,
                    const std::function<double(const Tensor&)>& sure) {
  const TableDenoiser denoiser;
  const int64_t P = prompt.size(0), blocks = o.gen_length / o.block_length;
  Tensor x = at::cat({prompt, at::full({o.gen_length}, 10, at::kLong)});
  Tensor step = at::zeros_like(x);
  for (int64_t s = 0; s < o.steps; ++s) {
    const Tensor p = denoiser.logits({x, {x.size(0)}}).slice(1, 0, 10).softmax(-1);  // no mask
    const int64_t begin = P + s / (o.steps / blocks) * o.block_length;
    std::vector<std::pair<double, int64_t>> hidden;
    for (int64_t i = begin; i < begin + o.block_length; ++i)
      if (x[i].item<int64_t>() == 10) hidden.emplace_back(-sure(p[i]), i);
    std::sort(hidden.begin(), hidden.end());
    for (int64_t n = 0; n < o.gen_length / o.steps; ++n) {
      x[hidden[n].second] = p[hidden[n].second].argmax();
      step[hidden[n].second] = s;
    }
  }
  return to_vector<int64_t>(at::cat({x.slice(0, P), step.slice(0, P)}));
}

TEST(Sampler, KeepsTheTokensItsRemaskingRanksFirst) {
  const TableDenoiser denoiser;
  SamplerOptions o{.gen_length = 16, .block_length = 8, .steps = 8};
  auto trace = [&](const Tensor& prompt, Remasking remasking) {
    o.remasking = remasking;
    const Samples s = sample(denoiser, {prompt, {5}}, o, rollout_keys(1));
    return to_vector<int64_t>(at::cat({completions(s.sequences, 16)[0], s.step[0]}));
  };
  auto confident = [](const Tensor& p) { return p.max().item<double>(); };
  auto certain = [](const Tensor& p) { return at::xlogy(p, p).sum().item<double>(); };
  auto distinct = [](const Tensor& p) {
    const Tensor two = std::get<0>(p.topk(2));
    return (two[0] - two[1]).item<double>();
  };
  int told_apart = 0;
  for (const char* name : {"a", "b", "c", "d", "e", "f", "g", "h"}) {
    const Tensor prompt = random_tokens(5, 8, name);
    const Trace low = trace(prompt, Remasking::kLowConfidence),
                entropy = trace(prompt, Remasking::kEntropy),
                margin = trace(prompt, Remasking::kMargin);
    EXPECT_EQ(low, plain_sampler(prompt, o, confident)) << name;
    EXPECT_EQ(entropy, plain_sampler(prompt, o, certain)) << name;
    EXPECT_EQ(margin, plain_sampler(prompt, o, distinct)) << name;
    told_apart += low != entropy && entropy != margin;
  }
  EXPECT_GE(told_apart, 2);
}

TEST(Sampler, RemaskingAtRandomKeepsEveryTokenEquallyOften) {
  const TableDenoiser denoiser;
  const int64_t B = 2000;
  const Packed prompts = pack(at::ones({B, 2}, at::kLong));
  const SamplerOptions o{
      .gen_length = 4, .block_length = 4, .steps = 4, .remasking = Remasking::kRandom};
  const Samples out = sample(denoiser, prompts, o, rollout_keys(B));
  for (int64_t s = 0; s < 4; ++s) {  // 500 of 2000, a standard deviation of 19
    const Tensor times = (out.step == s).sum(0);
    EXPECT_LE(max_difference(times, at::full({4}, 500)), 97) << times;
  }
}

TEST(Confidence, IsLargerForWhatIsKept) {
  const Tensor x = at::tensor({0.1, 0.2, 0.3});
  const Proposal p{.token = {}, .log_p = x, .entropy = x + 1, .margin = x + 2};
  const auto keys = rollout_keys(3);
  EXPECT_TRUE(confidence(p, Remasking::kLowConfidence, keys).equal(x));
  EXPECT_TRUE(confidence(p, Remasking::kEntropy, keys).equal(-(x + 1)));
  EXPECT_TRUE(confidence(p, Remasking::kMargin, keys).equal(x + 2));
  const Tensor random = confidence(p, Remasking::kRandom, keys);
  EXPECT_TRUE(random.slice(0, 1).equal(confidence(p, Remasking::kRandom, std::span(keys).last(2))));
}

TEST(KeepCounts, SpreadTheTokensEvenlyTheRestFirst) {
  EXPECT_EQ(keep_counts(8, 4), (std::vector<int64_t>{2, 2, 2, 2}));
  EXPECT_EQ(keep_counts(10, 4), (std::vector<int64_t>{3, 3, 2, 2}));
  EXPECT_EQ(keep_counts(2, 3), (std::vector<int64_t>{1, 1, 0}));
}

// With confidence 0 a proposal is kept last, but it is kept.
TEST(Sampler, LeavesNoMaskWhereProposalsHaveNoConfidence) {
  TableDenoiser denoiser;
  denoiser.vocab.eos_id = 2;  // often the likeliest
  SamplerOptions o{.gen_length = 16, .block_length = 8, .steps = 8};
  o.compat.confidence_eos_eot_inf = true;
  o.compat.eot_id = 3;
  const Samples out = sample(denoiser, two_prompts(), o, rollout_keys(2));
  EXPECT_TRUE((completions(out.sequences, 16) == 2).any().item<bool>());
  EXPECT_FALSE((out.sequences.tokens == denoiser.vocab.mask_id).any().item<bool>());
  EXPECT_EQ(error_of([&] {
              o.compat.eot_id = 126348;
              sample(denoiser, two_prompts(), o, rollout_keys(2));
            }),
            "[sampler] compat.eot_id: got 126348, expected 0 … 10: the model's end-of-turn token.");
}

// Fast-dLLM: whatever is sure enough is kept, one token at least.
TEST(Sampler, KeepsWhatIsAboveTheThreshold) {
  const TableDenoiser denoiser;
  SamplerOptions o{.gen_length = 16, .block_length = 8, .steps = 0};
  const Samples one_each = sample(denoiser, two_prompts(), o, rollout_keys(2));
  auto steps = [&](double threshold) {
    o.threshold = threshold;
    const Samples out = sample(denoiser, two_prompts(), o, rollout_keys(2));
    EXPECT_FALSE((out.sequences.tokens == 10).any().item<bool>());
    EXPECT_TRUE(threshold < 1 || out.sequences.tokens.equal(one_each.sequences.tokens));
    return out.step.max().item<int64_t>() + 1;
  };
  EXPECT_EQ(steps(1), 16);    // no probability is 1: one token at a step
  EXPECT_EQ(steps(1e-9), 2);  // every one is above: one step a block
  std::set<int64_t> counts;
  for (double threshold : {0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9}) counts.insert(steps(threshold));
  EXPECT_GE(counts.size(), 3u);  // the surer it must be, the more steps
}

// Each hidden token is kept with probability 1 − s/t by itself, and the last step keeps the rest.
TEST(Sampler, OfOriginKeepsTokensIndependently) {
  const TableDenoiser denoiser;
  const SamplerOptions o{.gen_length = 64,
                         .block_length = 0,
                         .steps = 4,
                         .remasking = Remasking::kOrigin,
                         .schedule = Schedule::kTimesteps};
  const Packed prompts = pack(random_tokens(200, 8, "p").view({40, 5}));
  const Samples out = sample(denoiser, prompts, o, rollout_keys(40));
  EXPECT_FALSE((out.sequences.tokens == 10).any().item<bool>());
  for (int64_t s = 0; s < 4; ++s) {  // a quarter at each step; 2560 tokens, deviation 0.0086
    const Tensor kept = (out.step == s).to(at::kDouble);
    EXPECT_NEAR(kept.mean().item<double>(), 0.25, 0.035) << s;
    EXPECT_GT(kept.sum(1).std().item<double>(), 1) << s;  // not a fixed number for each row
  }
}

TEST(Sampler, DrawsPositionsAtARemaskingTemperature) {
  const TableDenoiser denoiser;
  SamplerOptions o{.gen_length = 16, .block_length = 16, .steps = 16};
  const Samples surest = sample(denoiser, two_prompts(), o, rollout_keys(2));
  o.remasking_temperature = 1e-6;
  EXPECT_TRUE(sample(denoiser, two_prompts(), o, rollout_keys(2)).step.equal(surest.step));
  o.remasking_temperature = 10;
  EXPECT_FALSE(sample(denoiser, two_prompts(), o, rollout_keys(2)).step.equal(surest.step));
}

// A step that keeps nothing does not ask the denoiser, and changes nothing.
TEST(Sampler, SkipsStepsThatKeepNothing) {
  struct Counting : TableDenoiser {
    mutable int64_t calls = 0;
    Tensor encode(const Packed& x, const Rows& rows) const override {
      ++calls;
      return TableDenoiser::encode(x, rows);
    }
  } denoiser;
  const SamplerOptions o{
      .gen_length = 4, .block_length = 0, .steps = 12, .schedule = Schedule::kTimesteps};
  int64_t seen = 0;
  sample(denoiser, two_prompts(), o, rollout_keys(2), [&](const StepView&) { ++seen; });
  EXPECT_EQ(seen, 12);
  EXPECT_LE(denoiser.calls, 4);
}

// LLaDA's generate.py allows it: the steps that are too many keep nothing.
TEST(Sampler, HasStepsToSpareWhereThereAreMoreThanTokens) {
  const TableDenoiser denoiser;
  SamplerOptions o{.gen_length = 16, .block_length = 8, .steps = 16};
  const Samples exact = sample(denoiser, two_prompts(), o, rollout_keys(2));
  o.steps = 32;
  int64_t seen = 0;
  const Samples spare = sample(denoiser, two_prompts(), o, rollout_keys(2), [&](const StepView& v) {
    EXPECT_EQ((v.proposed >= 0).any().item<bool>(), v.step % 16 < 8) << v.step;
    ++seen;
  });
  EXPECT_EQ(seen, 32);
  EXPECT_TRUE(spare.sequences.tokens.equal(exact.sequences.tokens));
  EXPECT_TRUE(spare.step.equal(exact.step + 8 * (exact.step >= 8)));
}

// What a watcher is told of a step is what the step decided by.
TEST(Sampler, ShowsItsWatcherTheScoresOfItsProposals) {
  const TableDenoiser denoiser;
  Tensor before = at::ones({2, 16}, at::kBool);
  auto watch = [&](const StepView& v) {
    before.slice(1, v.end).fill_(false);
    EXPECT_TRUE((v.proposed >= 0).equal(before)) << v.step;
    EXPECT_TRUE(v.score.isneginf().logical_not().equal(before)) << v.step;
    const Tensor kept = v.kept_at == v.step, lost = before.logical_and(kept.logical_not());
    const Tensor least = v.score.masked_fill(kept.logical_not(), 1).amin(-1);
    const Tensor most = v.score.masked_fill(lost.logical_not(), -1e9).amax(-1);
    EXPECT_TRUE((least >= most).all().item<bool>()) << v.step;
    EXPECT_TRUE(
        completions(v.sequences, 16).masked_select(kept).equal(v.proposed.masked_select(kept)));
    before = v.hidden.clone();
  };
  sample(denoiser, two_prompts(), {.gen_length = 16, .block_length = 8, .steps = 8},
         rollout_keys(2), watch);
}

}  // namespace
}  // namespace gdsd
