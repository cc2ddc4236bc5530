// What each pattern hides and asks. Rollouts have 12 completion tokens; EOS stands where kEos says.
#include <gtest/gtest.h>

#include <set>

#include "gdsd/masking/scores.h"
#include "tests/core/table_denoiser.h"
#include "tests/error_of.h"

namespace gdsd {
namespace {

constexpr int64_t C = 12, B = 4, kPrompt = 5;
const std::vector<int64_t> kEos{C, 3, 7, 0};  // the first has none

Completed rollouts() {
  Completed x0{{random_tokens(B * (kPrompt + C), 8, "x0"), std::vector<int64_t>(B, kPrompt + C)},
               C,
               kEos,
               {}};
  x0.step = random_tokens(B * C, 5, "step").view({B, C});
  return x0;
}

/// Hidden tokens of the completions and of the prompts, [P, B, C] and [P, B, kPrompt].
Tensor hidden(const Views& v) { return v.hidden.view({-1, B, kPrompt + C}).slice(2, kPrompt); }
Tensor hidden_prompt(const Views& v) {
  return v.hidden.view({-1, B, kPrompt + C}).slice(2, 0, kPrompt);
}

/// The tokens up to and including EOS, or before it, [B, C].
Tensor until(int64_t beyond) {
  const Tensor eos = to_tensor(kEos).unsqueeze(1);
  return at::arange(C).unsqueeze(0) < eos + beyond;
}

void expect_equal(const Tensor& got, const Tensor& expected) {
  EXPECT_TRUE(got.equal(expected.expand_as(got))) << got << expected;
}

TEST(Pattern, FullHidesAllAndAsksForWhatIsInScope) {
  for (const auto& [scope, known] : {std::pair{TokenScope::kAll, at::ones({B, C}, at::kBool)},
                                     {TokenScope::kUntilEos, until(1)},
                                     {TokenScope::kBeforeEos, until(0)}}) {
    const Views v =
        mask(rollouts(), {.pattern = Pattern::kFull, .coupled = false, .tokens = scope}, 1, {1});
    EXPECT_TRUE(hidden(v).all().item<bool>());
    EXPECT_FALSE(hidden_prompt(v).any().item<bool>());
    expect_equal(v.asked[0], known);
    expect_equal(v.weight[0] != 0, known);
  }
}

TEST(Pattern, HidesPromptTokensAtTheirRate) {
  const Views v = mask(
      rollouts(), {.pattern = Pattern::kFull, .views = 500, .coupled = false, .prompt_rate = 0.15},
      1, {1});
  EXPECT_NEAR(hidden_prompt(v).to(at::kDouble).mean().item<double>(), 0.15, 0.018);  // 5 deviations
}

TEST(Pattern, BernoulliHidesAtARateOfItsRange) {
  const Views v = mask(rollouts(),
                       {.pattern = Pattern::kBernoulli,
                        .views = 1000,
                        .weight = TokenWeight::kRate,
                        .min_rate = 0.2,
                        .max_rate = 0.8},
                       1, {1});
  const Tensor first = hidden(v).slice(0, 0, 1000), second = hidden(v).slice(0, 1000);
  expect_equal(second, ~first);
  EXPECT_NEAR(first.to(at::kDouble).mean().item<double>(), 0.5, 0.02);
  // Halved weights ½/t and ½/(1 − t): t is the same for all tokens of a row, and within the range.
  const Tensor t = at::where(first, 0.5 / v.weight, 1 - 0.5 / v.weight);
  EXPECT_LE((t.amax(-1) - t.amin(-1)).max().item<double>(), 1e-12);
  EXPECT_GE(t.min().item<double>(), 0.2 - 1e-12);
  EXPECT_LE(t.max().item<double>(), 0.8 + 1e-12);
}

TEST(Pattern, FullAndPairsAsksForEveryTokenInFullAndInAPair) {
  const Views v = mask(rollouts(),
                       {.pattern = Pattern::kFullAndPairs,
                        .views = 3,
                        .weight = TokenWeight::kRate,
                        .tokens = TokenScope::kUntilEos,
                        .min_rate = 0.2,
                        .max_rate = 0.8},
                       1, {1});
  expect_equal(v.asked[0], until(1));
  EXPECT_FALSE(v.asked[3].any().item<bool>());  // all but all
  expect_equal(v.weight[0], until(1).to(at::kDouble));
  for (int64_t k : {1, 2}) {
    expect_equal(v.asked[k].logical_xor(v.asked[3 + k]), until(1));
    EXPECT_GE(v.weight[k].masked_select(until(1)).min().item<double>(), 1 / 0.8);  // not halved
  }
}

TEST(Pattern, RandomHidesSomeOfTheContentAndTheRest) {
  std::set<int64_t> counts;
  for (uint64_t seed = 0; seed < 300; ++seed) {
    const Views v = mask(rollouts(),
                         {.pattern = Pattern::kRandom,
                          .coupled = false,
                          .weight = TokenWeight::kMean,
                          .tokens = TokenScope::kUntilEos,
                          .hide_rest = true,
                          .max_rate = 0.5},
                         1, {seed});
    expect_equal(hidden(v)[0].logical_and(~until(1)), ~until(1));
    expect_equal(v.asked[0], hidden(v)[0].logical_and(until(1)));
    EXPECT_LE((v.weight[0].sum(-1) - 1).abs().max().item<double>(), 1e-12);  // 1/n each
    counts.insert(v.asked[0][0].sum().item<int64_t>());
    EXPECT_EQ(v.asked[0][3].sum().item<int64_t>(), 1);  // EOS alone is its content
  }
  EXPECT_EQ(counts, (std::set<int64_t>{1, 2, 3, 4, 5, 6}));  // of 12 tokens 1 … 12 · 0.5
}

MaskingOptions blocks(Pattern pattern) {
  return {.pattern = pattern,
          .views = 2,
          .coupled = false,
          .weight = TokenWeight::kMean,
          .tokens = TokenScope::kUntilEos,
          .hide_rest = true,
          .block_length = 4};
}

/// Where the first hidden token of a completion is, of [C].
int64_t first_hidden(const Tensor& h) { return h.nonzero()[0][0].item<int64_t>(); }

TEST(Pattern, BlockAllHidesABlockAndAllAfterIt) {
  std::set<int64_t> begins;
  for (uint64_t seed = 0; seed < 100; ++seed) {
    const Views v = mask(rollouts(), blocks(Pattern::kBlockAll), 1, {seed});
    for (int64_t k : {0, 1}) {
      const Tensor h = hidden(v)[k][0];
      const int64_t begin = first_hidden(h);
      begins.insert(begin);
      EXPECT_TRUE(h.slice(0, begin).all().item<bool>());
      expect_equal(v.asked[k][0], (at::arange(C) / 4).floor() == begin / 4);  // its block alone
    }
    EXPECT_NE(first_hidden(hidden(v)[0][0]), first_hidden(hidden(v)[1][0]));  // of three blocks
    EXPECT_EQ(first_hidden(hidden(v)[0][1]), 0);  // four tokens are one block
  }
  EXPECT_EQ(begins, (std::set<int64_t>{0, 4, 8}));
}

TEST(Pattern, BlockRandomHidesSomeOfABlockAndAllAfterIt) {
  MaskingOptions o = blocks(Pattern::kBlockRandom);
  std::set<int64_t> counts;
  for (uint64_t seed = 0; seed < 200; ++seed) {
    const Views v = mask(rollouts(), o, 1, {seed});
    const Tensor h = hidden(v)[0][0], asked = v.asked[0][0];
    const int64_t begin = asked.nonzero()[0][0].item<int64_t>() / 4 * 4;
    EXPECT_FALSE(h.slice(0, 0, begin).any().item<bool>());
    EXPECT_TRUE(h.slice(0, begin + 4).all().item<bool>());
    expect_equal(asked.slice(0, begin, begin + 4), h.slice(0, begin, begin + 4));
    EXPECT_FALSE(asked.slice(0, begin + 4).any().item<bool>());
    counts.insert(asked.sum().item<int64_t>());
  }
  EXPECT_EQ(counts, (std::set<int64_t>{1, 2, 3, 4}));
  o.outside_block = true, o.prompt_rate = 0.5;  // as released: all that is hidden is asked
  const Views v = mask(rollouts(), o, 1, {3});
  expect_equal(v.asked, hidden(v).logical_and(until(1).unsqueeze(0)));
  EXPECT_TRUE(hidden_prompt(v).any().item<bool>());
}

// The third rollout has two blocks of content. A permutation of the three blocks of the canvas,
// taken modulo two, begins with block 0 with chance 2/3; one of two blocks with 1/2.
TEST(Pattern, WrappedBlocksAreNotEvenlyDrawn) {
  MaskingOptions o = blocks(Pattern::kBlockAll);
  for (bool wrap : {false, true}) {
    o.wrap_blocks = wrap;
    int64_t zero = 0;
    for (uint64_t seed = 0; seed < 1000; ++seed)
      zero += first_hidden(hidden(mask(rollouts(), o, 1, {seed}))[0][2]) == 0;
    EXPECT_NEAR(static_cast<double>(zero) / 1000, wrap ? 2.0 / 3 : 0.5, 0.079);  // 5 deviations
  }
}

TEST(Pattern, TraceReplaysTheStepsOfEachRollout) {
  const Completed x0 = rollouts();
  for (int64_t shrink : {1, 2}) {
    const Views v =
        mask(x0, {.pattern = Pattern::kTrace, .coupled = false, .shrink = shrink}, 1, {1});
    EXPECT_EQ(v.hidden.size(0), shrink == 1 ? 5 : 3);
    expect_equal(v.asked.to(at::kLong).sum(0), at::ones({B, C}, at::kLong));  // once each
    for (int64_t b = 0; b < B; ++b) {
      std::vector<int64_t> steps = to_vector<int64_t>(x0.step[b]);
      std::sort(steps.begin(), steps.end());
      steps.erase(std::unique(steps.begin(), steps.end()), steps.end());
      for (int64_t k = 0; k < v.hidden.size(0); ++k) {
        const auto from = static_cast<size_t>(k * shrink);
        if (from >= steps.size()) {  // a shorter trace
          EXPECT_FALSE(hidden(v)[k][b].any().item<bool>());
          continue;
        }
        const int64_t last = steps[std::min(from + shrink, steps.size()) - 1];
        expect_equal(hidden(v)[k][b], x0.step[b] >= steps[from]);
        expect_equal(v.asked[k][b], (x0.step[b] >= steps[from]).logical_and(x0.step[b] <= last));
      }
    }
  }
}

TEST(Pattern, TraceNeedsSteps) {
  Completed x0 = rollouts();
  x0.step = Tensor();
  EXPECT_THROW(mask(x0, {.pattern = Pattern::kTrace, .coupled = false}, 1, {1}), Error);
}

TEST(Pattern, OptionsThatMakeNoSenseAreRefused) {
  auto error = [](const MaskingOptions& o) { return error_of([&] { o.validate(); }); };
  EXPECT_NE(error({.pattern = Pattern::kFull}).find("coupled"), std::string::npos);
  EXPECT_NE(error({.min_rate = 0.5, .max_rate = 0.2}).find("max_rate"), std::string::npos);
  EXPECT_NE(error({.pattern = Pattern::kTrace, .views = 2, .coupled = false}).find("views"),
            std::string::npos);
  EXPECT_NE(error({.weight = TokenWeight::kElbo, .hide_rest = true}).find("hide_rest"),
            std::string::npos);
  EXPECT_NE(error({.prompt_rate = 1}).find("prompt_rate"), std::string::npos);
}

TEST(CentredLogit, IsTheLogitLessTheMeanOfAll) {
  const TableDenoiser denoiser;
  Views v = mask(rollouts(), {.coupled = false}, 1, {1});
  v.score = TokenScore::kCentredLogit;
  Tensor x = at::where(v.hidden[0], denoiser.vocab.mask_id, v.rollouts.tokens);
  const Tensor logits = denoiser.logits({x, v.rollouts.lengths});
  const Tensor known =
      logits.gather(1, v.rollouts.tokens.unsqueeze(1)).squeeze(1) - logits.mean(-1);
  const Tensor got = log_probs(denoiser, v)[0];
  const Tensor expected = known.view({B, kPrompt + C}).slice(1, kPrompt) * v.asked[0];
  EXPECT_LE(max_difference(got, expected), 1e-6 * expected.abs().max().item<double>());
}

}  // namespace
}  // namespace gdsd
