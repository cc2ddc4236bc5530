// What a run folder keeps, and what it takes for a checkpoint.
#include "gdsd/train/checkpoint.h"

#include <nlohmann/json.hpp>
#include <set>

#include "gdsd/base/fingerprint.h"
#include "gdsd/text/char_tokenizer.h"
#include "tests/core/tiny_model.h"
#include "tests/train/tiny_run.h"

namespace gdsd {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

class CheckpointTest : public testing::Test {
 protected:
  void save(int64_t step, std::optional<double> score, const Retention& keep = {},
            uint64_t metrics_bytes = 0) const {
    const RunState state{.step = step, .metrics_bytes = metrics_bytes, .score = score, .model = ""};
    save_checkpoint(run_, state, model_, optimizer_, keep);
  }

  fs::path folder(int64_t step) const { return run_ / concat("checkpoints/step-00000", step); }

  std::set<int64_t> kept() const {
    std::set<int64_t> steps;
    for (const auto& entry : fs::directory_iterator(run_ / "checkpoints"))
      steps.insert(entry.path().filename().string().back() - '0');
    return steps;
  }

  /// The step that is found; 0 for none.
  int64_t newest() {
    warnings_.clear();
    const auto found =
        newest_checkpoint(run_, [&](const std::string& w) { warnings_.push_back(w); });
    return found ? found->state.step : 0;
  }

  const fs::path run_ = fresh_folder("run");
  const Model model_{std::make_unique<Transformer>(tiny_llada()),
                     std::make_unique<CharTokenizer>("01234")};
  const Optimizer optimizer_{{}, {}, 1};
  std::vector<std::string> warnings_;
};

TEST_F(CheckpointTest, TheNewestAndTheBestAreKeptAndOfEqualsTheEarlier) {
  struct Case {
    Retention keep;
    std::set<int64_t> kept;
    const char* best;
  };
  for (const Case& c : {Case{{.last = 2, .best = 1}, {2, 5, 6}, "checkpoints/step-000002"},
                        Case{{.last = 1, .best = 2}, {2, 3, 6}, "checkpoints/step-000002"},
                        Case{{.last = 2, .best = 0}, {5, 6}, "checkpoints/step-000006"}}) {
    fs::remove_all(run_);
    save(1, 0.2, c.keep);
    save(2, 0.5, c.keep);
    save(3, 0.5, c.keep);
    save(4, {}, c.keep);
    save(5, 0.1, c.keep);
    save(6, 0.3, c.keep);
    EXPECT_EQ(kept(), c.kept);
    EXPECT_EQ(fs::read_symlink(run_ / "latest"), "checkpoints/step-000006");
    EXPECT_EQ(fs::read_symlink(run_ / "best"), c.best);
    EXPECT_EQ(best_score(run_), c.keep.best > 0 ? 0.5 : 0.3);
  }
}

TEST_F(CheckpointTest, WithoutAScoreThereIsNoBest) {
  save(1, 0.5, {.last = 1, .best = 0});
  save(2, {}, {.last = 1, .best = 0});
  EXPECT_FALSE(fs::is_symlink(run_ / "best"));
}

TEST_F(CheckpointTest, ADamagedManifestIsPassedOver) {
  save(1, {});
  save(2, {});
  const fs::path manifest = folder(2) / "manifest.json";
  const json whole = json::parse(read_file(manifest));
  std::vector<std::string> damaged{
      "",     "{}",         "[]",          "7",
      "null", "{\"a\": 5}", "{\"a\": {}}", "{\"a\": {\"bytes\": \"1\", \"xxh3\": 2}}"};
  damaged.push_back(whole.dump().substr(0, 100));
  for (const char* name :
       {"model.safetensors", "trainer/optimizer.safetensors", "trainer/state.json"}) {
    json without = whole;
    ASSERT_EQ(without.erase(name), 1u);
    damaged.push_back(without.dump());
  }
  for (const std::string& text : damaged) {
    write_file(manifest, text);
    EXPECT_EQ(newest(), 1) << text;
    ASSERT_EQ(warnings_.size(), 1u);
    EXPECT_NE(warnings_[0].find("manifest.json: "), std::string::npos) << warnings_[0];
  }
  write_file(manifest, whole.dump());
  EXPECT_EQ(newest(), 2);
}

TEST_F(CheckpointTest, AStateOfAnotherFormIsPassedOver) {
  save(1, {});
  save(2, {});
  const fs::path file = folder(2) / "trainer/state.json";
  write_file(file, R"({"step": "two", "metrics_bytes": 0, "score": null, "model": ""})");
  json manifest = json::parse(read_file(folder(2) / "manifest.json"));
  manifest["trainer/state.json"] = {{"bytes", fs::file_size(file)}, {"xxh3", fingerprint(file)}};
  write_file(folder(2) / "manifest.json", manifest.dump());
  EXPECT_EQ(newest(), 1);
  ASSERT_EQ(warnings_.size(), 1u);
  EXPECT_NE(warnings_[0].find("state.json: "), std::string::npos) << warnings_[0];
}

TEST_F(CheckpointTest, AFileThatCannotBeLookedAtIsDamage) {
  save(1, {});
  save(2, {});
  fs::remove(folder(2) / "model.safetensors");
  fs::create_symlink("model.safetensors", folder(2) / "model.safetensors");  // to itself
  EXPECT_EQ(newest(), 1);
  ASSERT_EQ(warnings_.size(), 1u);
}

TEST_F(CheckpointTest, OneWhoseMetricsAreLostIsPassedOver) {
  save(1, {}, {}, 10);
  save(2, {}, {}, 20);
  write_file(run_ / "metrics.jsonl", std::string(19, 'x'));
  EXPECT_EQ(newest(), 1);
  ASSERT_EQ(warnings_.size(), 1u);
  EXPECT_NE(warnings_[0].find("metrics.jsonl has lost its end, got 19 bytes, expected 20"),
            std::string::npos)
      << warnings_[0];
  fs::remove(run_ / "metrics.jsonl");
  EXPECT_TRUE(fails_with("no checkpoint is sound", [&] { newest(); }));
}

TEST_F(CheckpointTest, RepairSetsLaterOnesAsideAndTouchesNothingThatIsRight) {
  save(1, 0.1);
  save(2, 0.2);
  repair_checkpoints(run_, 1);
  save(2, 0.2);
  repair_checkpoints(run_, 1);
  EXPECT_TRUE(fs::exists(folder(2).string() + ".damaged/model.safetensors"));
  EXPECT_TRUE(fs::exists(folder(2).string() + ".damaged2/model.safetensors"));
  EXPECT_EQ(newest(), 1);
  EXPECT_EQ(fs::read_symlink(run_ / "latest"), "checkpoints/step-000001");
  EXPECT_EQ(fs::read_symlink(run_ / "best"), "checkpoints/step-000001");
  const auto before = fs::last_write_time(run_);
  repair_checkpoints(run_, 1);
  EXPECT_EQ(fs::last_write_time(run_), before);
}

}  // namespace
}  // namespace gdsd
