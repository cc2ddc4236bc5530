#include "gdsd/rollout/rollout.h"

#include <gtest/gtest.h>

#include "gdsd/text/char_tokenizer.h"
#include "tests/core/table_denoiser.h"

namespace gdsd {
namespace {

constexpr int64_t kLength = 12;
const CharTokenizer kTokenizer("abcdefgh");  // ids 3 … 10, after pad, mask and EOS

TableDenoiser denoiser() {
  TableDenoiser table;
  table.vocab = {.size = 11,
                 .mask_id = CharTokenizer::kMask,
                 .eos_id = CharTokenizer::kEos,
                 .pad_id = CharTokenizer::kPad};
  table.likely = 11;
  return table;
}

std::vector<Example> problems() {
  return {{.prompt = "abc", .answer = "", .source = "0"},
          {.prompt = "hgfed", .answer = "", .source = "1"},
          {.prompt = "a", .answer = "", .source = "2"}};
}

Rollouts rollouts(const std::vector<Example>& of, int64_t batch, Key key = {1}) {
  const RolloutOptions o{
      .group_size = 4,
      .batch = batch,
      .sampler = {.gen_length = kLength, .block_length = 6, .steps = 6, .temperature = 1.0}};
  return rollout(denoiser(), kTokenizer, of, o, key);
}

TEST(UntilEos, IncludesTheFirstEosAndNothingAfter) {
  const Tensor tokens = at::tensor({5, 9, 5, 9, 9, 5, 5, 5, 5, 5, 5, 9}, at::kLong).view({3, 4});
  const Tensor expected =
      at::tensor({1, 1, 0, 0, 1, 0, 0, 0, 1, 1, 1, 1}).view({3, 4}).to(at::kBool);
  EXPECT_TRUE(until_eos(tokens, 9).equal(expected));
}

TEST(Rollout, AnswersEveryProblemGTimesInOrder) {
  const auto all = problems();
  const Rollouts r = rollouts(all, 0);
  ASSERT_EQ(r.attempts.size(), 12u);
  const auto at = r.sequences.offsets();
  for (size_t b = 0; b < 12; ++b) {
    EXPECT_EQ(r.attempts[b].example, &all[b / 4]);
    const auto prompt = to_vector<int64_t>(r.sequences.tokens.slice(0, at[b], at[b + 1] - kLength));
    EXPECT_EQ(prompt, kTokenizer.encode(all[b / 4].prompt));
  }
  EXPECT_NE(r.attempts[0].completion, r.attempts[1].completion);
}

TEST(Rollout, IsTextUpToTheFirstEos) {
  const auto all = problems();
  bool stops = false, goes_on = false;
  const Rollouts r = rollouts(all, 0);
  const Tensor answers = completions(r.sequences, kLength);
  EXPECT_TRUE(r.completion.equal(until_eos(answers, CharTokenizer::kEos)));
  for (int64_t b = 0; b < 12; ++b) {
    std::string expected;
    bool ended = false;
    for (int64_t id : to_vector<int64_t>(answers[b])) {
      ended = ended || id == CharTokenizer::kEos;
      if (!ended && id > CharTokenizer::kEos) expected += static_cast<char>('a' + id - 3);
    }
    EXPECT_EQ(r.attempts[b].completion, expected);
    (ended ? stops : goes_on) = true;
  }
  EXPECT_TRUE(stops && goes_on);  // the case has both kinds
}

TEST(Rollout, DoesNotDependOnItsBatchOption) {
  const auto all = problems();
  const Rollouts whole = rollouts(all, 0);
  for (int64_t batch : {1, 5, 12, 100}) {
    const Rollouts parts = rollouts(all, batch);
    EXPECT_TRUE(parts.sequences.tokens.equal(whole.sequences.tokens)) << batch;
    EXPECT_EQ(parts.sequences.lengths, whole.sequences.lengths);
    EXPECT_TRUE(parts.step.equal(whole.step));
    EXPECT_TRUE(parts.completion.equal(whole.completion));
    for (size_t b = 0; b < 12; ++b)
      EXPECT_EQ(parts.attempts[b].completion, whole.attempts[b].completion);
  }
}

TEST(Rollout, DependsOnItsKey) {
  const auto all = problems();
  EXPECT_FALSE(
      rollouts(all, 0, {1}).sequences.tokens.equal(rollouts(all, 0, {2}).sequences.tokens));
}

}  // namespace
}  // namespace gdsd
