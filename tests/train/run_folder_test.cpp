// What a run does with its folder: whom it lets in, what it goes on from, what it leaves alone.
#include <sched.h>

#include <nlohmann/json.hpp>

#include "gdsd/base/yaml.h"
#include "tests/train/tiny_run.h"

namespace gdsd {
namespace {

namespace fs = std::filesystem;

/// When each file, folder and link was last changed, and a file's contents; but for the lock.
std::map<std::string, std::pair<fs::file_time_type, std::string>> snapshot(const fs::path& folder) {
  std::map<std::string, std::pair<fs::file_time_type, std::string>> out;
  out["."] = {fs::last_write_time(folder), ""};
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.path().filename() == ".lock") continue;
    auto& [time, text] = out[entry.path()];
    if (entry.is_symlink()) {
      text = fs::read_symlink(entry);
    } else {
      time = fs::last_write_time(entry);
      if (entry.is_regular_file()) text = read_file(entry);
    }
  }
  return out;
}

void overwrite(const fs::path& file, const std::string& from, const std::string& to) {
  std::string text = read_file(file);
  const size_t at = text.find(from);
  ASSERT_NE(at, std::string::npos) << file;
  std::ofstream(file, std::ios::binary) << text.replace(at, from.size(), to);
}

uint64_t metrics_bytes(const fs::path& checkpoint) {
  return nlohmann::json::parse(read_file(checkpoint / "trainer/state.json")).at("metrics_bytes");
}

TEST(Run, ADamagedCheckpointIsNeitherLatestNorBestNorLost) {
  TrainConfig config = tiny_training(base(), fresh_folder("whole"));
  config.save_every = 100;
  const fs::path whole = config.run_dir, folder = fresh_folder("run");
  run(config);
  config.run_dir = folder;
  Recorder first;
  first.interrupt_after = 3;  // checkpoints: 2, the first evaluation, and 3
  EXPECT_EQ(train(config, Existing::kResume, first), Outcome::kInterrupted);
  overwrite(folder / "checkpoints/step-000003/trainer/state.json", "null", "1e99");
  Recorder second;
  second.at_start = [&] {
    EXPECT_EQ(fs::read_symlink(folder / "latest"), "checkpoints/step-000002");
    EXPECT_EQ(fs::read_symlink(folder / "best"), "checkpoints/step-000002");
  };
  train(config, Existing::kResume, second);
  EXPECT_EQ(second.resumed_after, 2);
  EXPECT_EQ(second.notices.size(), 1u);
  expect_same_products(whole, folder);
  EXPECT_EQ(fs::read_symlink(folder / "best"), fs::read_symlink(whole / "best"));
  EXPECT_TRUE(fs::exists(folder / "checkpoints/step-000003.damaged/model.safetensors"));
}

TEST(Run, AFolderInUseIsLeftAlone) {
  const TrainConfig config = tiny_training(base(), fresh_folder("run"));
  Recorder first;
  first.at_start = [&] {
    const auto before = snapshot(config.run_dir);
    for (Existing existing : {Existing::kResume, Existing::kSetAside})
      EXPECT_TRUE(
          fails_with(concat(": another gdsd (pid ", getpid()), [&] { run(config, existing); }));
    EXPECT_EQ(snapshot(config.run_dir), before);
    EXPECT_FALSE(fs::exists(config.run_dir + ".old"));
  };
  train(config, Existing::kResume, first);
  EXPECT_EQ(run(config, Existing::kSetAside).resumed_after, 0);
}

TEST(Run, TheFirstOfTwoThatBeginInOneFolderGetsIt) {
  TrainConfig config = tiny_training(base(), fresh_folder("run"));
  config.steps = 1;
  Recorder quiet;
  gdsd::Run late(config, list_fields(config), config.model, Existing::kResume,
                 quiet);  // finds nothing
  run(config);
  const auto before = snapshot(config.run_dir);
  EXPECT_TRUE(fails_with("another run has begun in it", [&] { late.begin({}, 1); }));
  EXPECT_EQ(snapshot(config.run_dir), before);
}

TEST(Run, GoesOnFromTheCheckpointThatTheLogReaches) {
  const fs::path whole = fresh_folder("whole"), folder = fresh_folder("run");
  TrainConfig config = tiny_training(base(), whole);
  run(config);
  config.run_dir = folder;
  run(config);
  fs::resize_file(folder / "metrics.jsonl", metrics_bytes(folder / "checkpoints/step-000004"));
  const Recorder again = run(config);
  EXPECT_EQ(again.resumed_after, 4);
  ASSERT_EQ(again.notices.size(), 1u);
  EXPECT_NE(again.notices[0].find("metrics.jsonl has lost its end"), std::string::npos);
  expect_same_products(whole, folder);

  fs::resize_file(folder / "metrics.jsonl", 3);
  config.steps = 9;
  const auto before = snapshot(folder);
  EXPECT_TRUE(fails_with("Add --fresh", [&] { run(config); }));
  EXPECT_EQ(snapshot(folder), before);
}

TEST(Run, ALogThatCannotBeOpenedLeavesTheConfigAlone) {
  TrainConfig config = tiny_training(base(), fresh_folder("run"));
  config.steps = 1;
  run(config);
  const fs::path file = fs::path(config.run_dir) / "config.yaml";
  const std::string before = read_file(file);
  fs::remove(fs::path(config.run_dir) / "timing.jsonl");
  fs::create_directory(fs::path(config.run_dir) / "timing.jsonl");
  config.steps = 2;
  EXPECT_TRUE(fails_with("timing.jsonl: Is a directory", [&] { run(config); }));
  EXPECT_EQ(read_file(file), before);
}

TEST(Run, LostCheckpointsAreAnErrorButNoneYetIsNot) {
  const fs::path whole = fresh_folder("whole"), folder = fresh_folder("run");
  TrainConfig config = tiny_training(base(), whole);
  run(config);
  config.run_dir = folder;
  run(config);
  const std::string log = read_file(folder / "metrics.jsonl");
  fs::remove_all(folder / "checkpoints");
  EXPECT_TRUE(fails_with("the checkpoints of this run are gone", [&] { run(config); }));
  fs::remove(folder / "latest");
  fs::remove(folder / "best");
  EXPECT_TRUE(fails_with("add --fresh", [&] { run(config); }));
  EXPECT_EQ(read_file(folder / "metrics.jsonl"), log);

  // As a kill would leave it at the end of step 2, at which the first checkpoint is due.
  size_t lines = 0;
  for (int step = 0; step <= 2; ++step) lines = log.find('\n', lines) + 1;
  std::ofstream(folder / "metrics.jsonl") << log.substr(0, lines + 5);
  const Recorder again = run(config);
  EXPECT_EQ(again.resumed_after, 0);
  ASSERT_EQ(again.notices.size(), 1u);
  EXPECT_NE(again.notices[0].find("beginning anew"), std::string::npos);
  expect_same_products(whole, folder);
}

TEST(Run, AFinishedRunIsLeftAsItIs) {
  TrainConfig config = tiny_training(base(), fresh_folder("train"));
  run(config);
  const auto trained = snapshot(config.run_dir);
  config.save_every = 3;  // which may change
  EXPECT_EQ(run(config).resumed_after, 5);
  EXPECT_EQ(snapshot(config.run_dir), trained);

  const PretrainConfig other = tiny_pretraining(fresh_folder("pretrain"));
  Recorder recorder;
  pretrain(other, Existing::kResume, recorder);
  const auto pretrained = snapshot(other.run_dir);
  pretrain(other, Existing::kResume, recorder);
  EXPECT_EQ(recorder.resumed_after, 5);
  EXPECT_EQ(snapshot(other.run_dir), pretrained);
}

TEST(Run, StoresAndComparesWhatItComputedWith) {
  TrainConfig config = tiny_training(base(), fresh_folder("run"));
  config.steps = 1;
  config.compute = {};
  run(config);
  const ComputeOptions settled = open_compute({}, 16).settled;
  std::map<std::string, std::string> stored;
  for (const Setting& s : read_yaml(fs::path(config.run_dir) / "config.yaml"))
    stored[s.path] = s.text;
  EXPECT_EQ(stored["compute.device"], to_text(settled.device));
  EXPECT_EQ(stored["compute.precision"], "float32");
  EXPECT_EQ(stored["compute.threads"], to_text(settled.threads));
  EXPECT_GT(settled.threads, 0);

  config.steps = 2;
  config.compute.threads = settled.threads;  // said, not found out: the same
  EXPECT_EQ(run(config).resumed_after, 1);
  config.steps = 3;
  config.compute.threads = settled.threads + 1;
  EXPECT_TRUE(fails_with(
      concat("compute.threads was '", settled.threads, "', now '", settled.threads + 1, "'"),
      [&] { run(config); }));
}

TEST(Compute, TakesAThreadForEveryCoreThatItMayUse) {
  cpu_set_t before, one;
  ASSERT_EQ(sched_getaffinity(0, sizeof before, &before), 0);
  CPU_ZERO(&one);
  for (int core = 0; CPU_COUNT(&one) == 0; ++core)
    if (CPU_ISSET(core, &before)) CPU_SET(core, &one);
  ASSERT_EQ(sched_setaffinity(0, sizeof one, &one), 0);
  EXPECT_EQ(open_compute({}, 16).settled.threads, 1);
  ASSERT_EQ(sched_setaffinity(0, sizeof before, &before), 0);
  EXPECT_EQ(open_compute({}, 16).settled.threads, CPU_COUNT(&before));
}

TEST(Run, AnotherModelThanItBeganWithIsAnError) {
  const fs::path model = fresh_folder("model");
  fs::copy(fs::canonical(base()), model, fs::copy_options::recursive);
  TrainConfig config = tiny_training(model, fresh_folder("run"));
  Recorder first;
  first.interrupt_after = 2;
  train(config, Existing::kResume, first);
  std::string weights = read_file(model / "model.safetensors");
  weights[weights.size() - 2] ^= 1;
  write_file(model / "model.safetensors", weights);
  EXPECT_TRUE(fails_with("is not the one that the run in", [&] { run(config); }));
  weights[weights.size() - 2] ^= 1;
  write_file(model / "model.safetensors", weights);
  EXPECT_EQ(run(config).resumed_after, 2);
}

TEST(Run, DoesNotBeginWithACheckpointOfItsOwn) {
  const TrainConfig config = tiny_training(base(), fresh_folder("run"));
  run(config);
  for (Existing existing : {Existing::kResume, Existing::kSetAside}) {
    TrainConfig self = tiny_training(fs::path(config.run_dir) / "latest", config.run_dir);
    EXPECT_TRUE(fails_with("lies in run_dir", [&] { run(self, existing); }));
  }
  TrainConfig beside = tiny_training(fs::path(config.run_dir) / "latest", config.run_dir + "2");
  beside.steps = 1;
  fs::remove_all(beside.run_dir);
  EXPECT_EQ(run(beside).resumed_after, 0);
}

}  // namespace
}  // namespace gdsd
