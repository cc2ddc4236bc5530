// objectives/cases.json: one test for every case, by its method; and the methods that are
// arithmetic on rewards and counts.
#include "gdsd/advantage/advantage.h"
#include "gdsd/masking/masking.h"
#include "gdsd/reward/reward.h"
#include "gdsd/rollout/rollout.h"
#include "gdsd/sampler/sampler.h"
#include "tests/golden_test/golden.h"

namespace gdsd::golden {
namespace {

constexpr double kRelative = 1e-10, kAbsolute = 1e-12;  // of float64, objectives/README.md

/// Row b of the fixture as the scores of its rewards: missing ones do not apply.
Scores score_rows(const TensorMap& t) {
  const Tensor rewards = t.at("rewards"), missing = t.at("reward_missing");
  const int64_t N = rewards.size(0), F = rewards.size(1);
  std::vector<Example> rows(N);
  std::vector<Attempt> attempts;
  for (int64_t n = 0; n < N; ++n) {
    rows[n].answer = std::to_string(n);
    attempts.push_back({&rows[n], ""});
  }
  std::vector<WeightedReward> functions;
  for (int64_t f = 0; f < F; ++f)
    functions.push_back({"r" + std::to_string(f), t.at("reward_weights")[f].item<double>(),
                         [=](const Attempt& a) -> std::optional<double> {
                           const int64_t n = std::stoll(a.example->answer);
                           if (missing[n][f].item<bool>()) return std::nullopt;
                           return rewards[n][f].item<double>();
                         }});
  return score(attempts, functions);
}

void check_advantage(const json& info, const path& folder) {
  const TensorMap t = read_safetensors(folder / info.at("file").get<std::string>());
  const json &hyper = info.at("hyper"), &metrics = info.at("expected").at("metrics");
  const int64_t G = info.at("dims").at("G");
  const AdvantageOptions o{
      .baseline = hyper.at("kind") == "loo" ? Baseline::kLeaveOneOut : Baseline::kMean,
      .scale = hyper.at("scale_rewards").get<bool>() ? Scale::kStd : Scale::kNone};
  const Scores scores = score_rows(t);
  expect_close(advantage(scores.total, G, o), t.at("expected.advantages"), kRelative, kAbsolute,
               "advantages");
  for (const auto& [name, mean] : scores.mean)
    expect_close(mean, metrics.at("rewards/" + name), 1e-6, kAbsolute, name);
  if (metrics.contains("zero_std_ratio"))
    expect_close(zero_variance_groups(scores.total, G), metrics.at("zero_std_ratio"), 1e-6, 0,
                 "zero_std_ratio");
  const Tensor mask = until_eos(t.at("completion_ids"), info.at("eos_id"));
  EXPECT_TRUE(mask.to(at::kInt).equal(t.at("expected.completion_mask").to(at::kInt)));
}

void check_zscore(const json& info, const path& folder) {
  const TensorMap t = read_safetensors(folder / info.at("file").get<std::string>());
  const auto rewards = to_vector<double>(t.at("rewards"));
  const Tensor got = advantage(rewards, t.at("rewards").size(1),
                               {.baseline = Baseline::kMean, .scale = Scale::kPopulationStd});
  expect_close(got.view_as(t.at("rewards")), t.at("expected.advantages"), kRelative, kAbsolute,
               "advantages");
}

/// Every row of the table: `columns` inputs, then what `counts` must make of them, then −1s.
void check_table(const json& info, const path& folder, size_t columns,
                 const std::function<std::vector<int64_t>(const std::vector<int64_t>&)>& counts) {
  const Tensor table = read_safetensors(folder / info.at("file").get<std::string>()).at("table");
  ASSERT_GT(table.size(0), 0);
  for (int64_t i = 0; i < table.size(0); ++i) {
    auto row = to_vector<int64_t>(table[i]);
    row.erase(std::find(row.begin() + static_cast<int64_t>(columns), row.end(), -1), row.end());
    const auto got = counts(row);
    EXPECT_EQ(got, std::vector<int64_t>(row.begin() + static_cast<int64_t>(columns), row.end()))
        << "row " << i;
  }
}

/// N tokens, S steps, then how many each step reveals; eps of each row.
void check_dream_counts(const json& info, const path& folder) {
  const TensorMap t = read_safetensors(folder / info.at("file").get<std::string>());
  const Tensor table = t.at("table");
  ASSERT_GT(table.size(0), 0);
  for (int64_t i = 0; i < table.size(0); ++i) {
    const auto row = to_vector<int64_t>(table[i]);
    int64_t hidden = row[0];
    for (int64_t step = 0; step < row[1]; ++step) {
      const auto n = timestep_count(hidden, step, row[1], t.at("eps")[i].item<double>());
      EXPECT_EQ(n, row[2 + step]) << "row " << i << " step " << step;
      hidden -= n;
    }
  }
}

}  // namespace

void add_advantage(const json& fixture, const path& folder) {
  const std::string name = fixture.at("name");
  if (fixture.at("method") == "advantage_zscore")
    add_test("Advantage", name, [=] { check_zscore(fixture, folder); });
  else
    add_test("Advantage", name, [=] { check_advantage(fixture, folder); });
}

void add_counts(const json& fixture, const path& folder) {
  const std::string name = fixture.at("name");
  if (fixture.at("method") == "mask_counts")  // L, b, k, x_0 …
    add_test("Counts", name, [=] {
      check_table(fixture, folder, 3, [](const auto& r) { return mask_counts(r[0], r[1], r[2]); });
    });
  else if (fixture.at("method") == "transfer_counts_llada")  // tokens, steps, n_0 …
    add_test("Counts", name, [=] {
      check_table(fixture, folder, 2, [](const auto& r) { return keep_counts(r[0], r[1]); });
    });
  else
    add_test("Counts", name, [=] { check_dream_counts(fixture, folder); });
}

void add_objectives(const path& folder) {
  const std::map<std::string, void (*)(const json&, const path&)> covered{
      {"gdsd", add_pair_loss},
      {"gdsd_tlc", add_pair_loss},
      {"espo", add_pair_loss},
      {"spg", add_single_loss},
      {"diffu_grpo", add_single_loss},
      {"wd1", add_single_loss},
      {"dmpo_wdce", add_single_loss},
      {"dmpo_ddo", add_single_loss},
      {"dmpo_weights", add_single_loss},
      {"tracerl", add_single_loss},
      {"sft_mdlm", add_single_loss},
      {"tracerl_rows", add_trace_rows},
      {"advantage", add_advantage},
      {"advantage_zscore", add_advantage},
      {"mask_counts", add_counts},
      {"transfer_counts_llada", add_counts},
      {"transfer_counts_dream", add_counts}};
  const json cases = read_json(folder / "cases.json").at("cases");
  check(!cases.empty(), "no cases.");
  for (const json& fixture : cases) {
    const std::string method = fixture.at("method");
    if (covered.contains(method))
      covered.at(method)(fixture, folder);
    else
      add_skip("Objective", fixture.at("name"), "method " + method);
  }
}

}  // namespace gdsd::golden
