#include "gdsd/eval/evaluate.h"

#include <gtest/gtest.h>

#include <set>

#include "gdsd/text/char_tokenizer.h"
#include "tests/core/table_denoiser.h"

namespace gdsd {
namespace {

// Newcombe 1998, Statistics in Medicine 17:857, table I, method 3.
TEST(Wilson, ProducesPublishedIntervals) {
  auto expect = [](int64_t k, int64_t n, double low, double high) {
    const Interval i = wilson(k, n);
    EXPECT_NEAR(i.low, low, 5e-5) << k << "/" << n;
    EXPECT_NEAR(i.high, high, 5e-5) << k << "/" << n;
  };
  expect(81, 263, 0.2553, 0.3662);
  expect(15, 148, 0.0624, 0.1605);
  expect(0, 20, 0.0, 0.1611);
  expect(1, 29, 0.0061, 0.1718);
  expect(20, 20, 1 - 0.1611, 1.0);
}

// Chen et al. 2021, eq. 1, by counting: of 4 answers 1 is right, and half of the pairs have it.
TEST(PassAtK, IsTheChanceOfOneThatIsRight) {
  EXPECT_DOUBLE_EQ(pass_at_k(4, 1, 1), 0.25);
  EXPECT_DOUBLE_EQ(pass_at_k(4, 1, 2), 0.5);
  EXPECT_DOUBLE_EQ(pass_at_k(4, 2, 2), 1 - 1.0 / 6);
  EXPECT_DOUBLE_EQ(pass_at_k(4, 1, 4), 1);
  EXPECT_DOUBLE_EQ(pass_at_k(4, 3, 2), 1);
  EXPECT_DOUBLE_EQ(pass_at_k(4, 0, 4), 0);
}

TEST(Evaluation, CountsProblemsSamplesAndParts) {
  const auto result = [](bool solved, int right, std::string outcome) {
    Result r{.verdict = {.solved = solved,
                         .right = right,
                         .asked = 2,
                         .released_right = right,
                         .released_asked = 4,
                         .outcome = std::move(outcome)},
             .reward = right / 2.0,
             .parts = {{"a", right}},
             .tokens = 10};
    if (solved) r.parts["b"] = 3;
    return r;
  };
  const Evaluation e{.problems = 2,
                     .samples = 2,
                     .results = {result(true, 2, "passed"), result(false, 1, "failed"),
                                 result(false, 0, "timeout"), result(false, 1, "failed")}};
  const auto m = e.metrics();
  EXPECT_DOUBLE_EQ(m.at("eval/solved"), 0.25);
  EXPECT_DOUBLE_EQ(m.at("eval/solved_low"), wilson(0.5, 2).low) << "two problems, not four";
  EXPECT_DOUBLE_EQ(m.at("eval/cell"), 0.5);
  EXPECT_DOUBLE_EQ(m.at("eval/released"), 0.25);
  EXPECT_DOUBLE_EQ(m.at("eval/pass@2"), 0.5);
  EXPECT_DOUBLE_EQ(m.at("eval/reward"), 0.5);
  EXPECT_DOUBLE_EQ(m.at("eval/reward/a"), 1);
  EXPECT_DOUBLE_EQ(m.at("eval/reward/b"), 3) << "over those it applies to";
  EXPECT_DOUBLE_EQ(m.at("eval/outcome/failed"), 0.5);
  EXPECT_DOUBLE_EQ(m.at("eval/length"), 10);
}

TEST(HeldOutProblems, AreTheSameForEveryone) {
  const Sudoku a(SudokuOptions{}), b(SudokuOptions{});
  std::set<std::string> prompts;
  for (int64_t i = 0; i < 50; ++i) {
    EXPECT_EQ(a.held_out(i).prompt, b.held_out(i).prompt);
    EXPECT_EQ(a.held_out(i).answer, b.held_out(i).answer);
    prompts.insert(a.held_out(i).prompt);
  }
  EXPECT_GE(prompts.size(), 48u);
  // The key is a constant: this is the first problem of every evaluation ever made.
  EXPECT_EQ(a.held_out(0).prompt,
            a.draw(Split::kHeldOut, Key{0}.fork("held_out").fork("problem", 0)).prompt);
}

/// Knows the answers of the first `known` held-out problems and writes ones for the others.
struct Oracle : Denoiser {
  explicit Oracle(int64_t known) {
    const Sudoku sudoku(SudokuOptions{});
    for (int64_t i = 0; i < known; ++i) {
      const Example e = sudoku.held_out(i);
      answers[tokenizer.encode(e.prompt)] = tokenizer.encode(e.answer);
    }
  }
  Tensor encode(const Packed& x, const Rows& rows) const override {
    std::vector<int64_t> tokens;
    const auto at = x.offsets();
    for (int64_t b = 0; b < x.size(); ++b) {
      auto prompt = to_vector<int64_t>(x.tokens.slice(0, at[b], at[b + 1] - 16));
      const auto found = answers.find(prompt);
      tokens.insert(tokens.end(), prompt.begin(), prompt.end());
      const std::vector<int64_t> ones(16, tokenizer.encode("1")[0]);
      const auto& answer = found != answers.end() ? found->second : ones;
      tokens.insert(tokens.end(), answer.begin(), answer.end());
    }
    const Tensor states = 50 * at::one_hot(to_tensor(tokens), vocab.size).to(at::kDouble);
    return states.index_select(0, rows.index);
  }
  Tensor head() const override { return at::eye(vocab.size, at::kDouble); }
  const Vocabulary& vocabulary() const override { return vocab; }

  CharTokenizer tokenizer{"01234"};
  Vocabulary vocab{.size = 8,
                   .mask_id = CharTokenizer::kMask,
                   .eos_id = CharTokenizer::kEos,
                   .pad_id = CharTokenizer::kPad};
  std::map<std::vector<int64_t>, std::vector<int64_t>> answers;
};

TEST(Evaluate, CountsWhatIsSolved) {
  const SamplerOptions sampler{.gen_length = 16, .block_length = 16, .steps = 8, .temperature = 1};
  auto run = [&](int64_t known) {
    const Oracle oracle(known);
    return evaluate(oracle, oracle.tokenizer, Sudoku(SudokuOptions{}), Judge(SudokuOptions{}),
                    sampler, {.problems = 20});
  };
  const Evaluation all = run(20), half = run(10);
  ASSERT_EQ(all.results.size(), 20u);
  int asked = 0, right = 0;
  for (const Result& r : all.results) {
    EXPECT_TRUE(r.verdict.solved);
    EXPECT_EQ(r.verdict.right, r.verdict.asked);
    asked += r.verdict.asked;
  }
  EXPECT_GE(asked, 20 * SudokuOptions{}.blanks_min);
  EXPECT_DOUBLE_EQ(all.metrics().at("eval/solved"), 1);
  EXPECT_DOUBLE_EQ(all.metrics().at("eval/cell"), 1);
  for (size_t i = 0; i < 20; ++i) {
    EXPECT_EQ(half.results[i].verdict.solved, i < 10);
    right += half.results[i].verdict.right;
  }
  EXPECT_GT(right, asked / 2);  // some blanks are ones
  EXPECT_LT(right, asked);
  EXPECT_DOUBLE_EQ(half.metrics().at("eval/solved"), 0.5);
  EXPECT_DOUBLE_EQ(half.metrics().at("eval/solved_low"), wilson(10, 20).low);
  EXPECT_DOUBLE_EQ(half.metrics().at("eval/cell"), static_cast<double>(right) / asked);
}

TEST(Evaluate, DoesNotDependOnThePieces) {
  const SamplerOptions sampler{.gen_length = 16, .block_length = 16, .steps = 8};
  const Oracle oracle(10);
  const Sudoku sudoku(SudokuOptions{});
  const Judge judge(SudokuOptions{});
  const EvaluationOptions options{.problems = 6, .samples = 2, .temperature = 1};
  const auto ask = [&](int64_t begin, int64_t end) {
    return answer(oracle, oracle.tokenizer, sudoku, judge, sampler, options, begin, end);
  };
  const auto all = ask(0, 6);
  auto pieces = ask(0, 2);
  for (Answer& a : ask(2, 6)) pieces.push_back(std::move(a));
  ASSERT_EQ(all.size(), 12u);
  ASSERT_EQ(pieces.size(), 12u);
  for (size_t i = 0; i < all.size(); ++i) {
    EXPECT_EQ(all[i].problem, static_cast<int64_t>(i / 2));
    EXPECT_EQ(all[i].sample, static_cast<int64_t>(i % 2));
    EXPECT_EQ(pieces[i].problem, all[i].problem);
    EXPECT_EQ(pieces[i].example.problem, sudoku.held_out(all[i].problem).problem);
    EXPECT_EQ(pieces[i].completion, all[i].completion);
  }
}

TEST(Evaluate, CountsTheProblemsThatThereAre) {
  const Sudoku endless(SudokuOptions{});
  EXPECT_EQ(count_problems(endless, {.problems = 7}), 7);
  EXPECT_THROW(count_problems(endless, {.problems = 0}), Error);
}

}  // namespace
}  // namespace gdsd
