// Properties of whole runs, on a model too small to learn.
#include <sys/resource.h>

#include <csignal>
#include <regex>

#include "gdsd/base/yaml.h"
#include "tests/train/tiny_run.h"

namespace gdsd {
namespace {

namespace fs = std::filesystem;

TEST(Train, SameSeedSameBitsAnotherSeedOthers) {
  const auto a = fresh_folder("a"), b = fresh_folder("b"), c = fresh_folder("c");
  run(tiny_training(base(), a));
  run(tiny_training(base(), b));
  expect_same_products(a, b);
  TrainConfig other = tiny_training(base(), c);
  other.seed = 43;
  run(other);
  EXPECT_NE(read_file(a / "metrics.jsonl"), read_file(c / "metrics.jsonl"));
}

TEST(Train, MicroBatchesChangeRoundingOnly) {
  for (int64_t threads : {1, 2}) {
    TrainConfig whole = tiny_training(base(), fresh_folder("whole"));
    whole.steps = 1;
    whole.compute.threads = threads;
    TrainConfig parts = whole;
    parts.run_dir = fresh_folder("parts");
    parts.micro_batch = 3;  // does not divide the 8 rollouts
    parts.rollout.batch = 5;
    expect_close(run(whole), run(parts), 1e-5);
  }
}

TEST(Train, ThreadsChangeRoundingOnly) {
  std::vector<Recorder> runs;
  for (int64_t threads : {1, 2, 3}) {
    TrainConfig config = tiny_training(base(), fresh_folder(concat("threads", threads)));
    config.steps = 1;
    config.compute.threads = threads;
    runs.push_back(run(config));
  }
  expect_close(runs[0], runs[1], 1e-5);
  expect_close(runs[0], runs[2], 1e-5);
}

/// Every name that chooses an objective.
std::vector<std::string> objectives() {
  std::vector<std::string> names;
  fields_detail::for_each_alternative<ObjectiveOptions>([&]<class A>() {
    names.emplace_back(A::kName);
    if constexpr (requires { A::released(); }) names.push_back(concat(A::kName, "_released"));
  });
  return names;
}

TEST(Train, EveryObjectiveRunsWholeAndInMicroBatches) {
  for (const std::string& name : objectives()) {
    TrainConfig config = tiny_training(base(), fresh_folder(name));
    config.steps = 1;
    assign(config, "objective.name", name);
    validate(config);
    TrainConfig parts = config;
    parts.run_dir = fresh_folder(name + "_parts");
    parts.micro_batch = 3;
    SCOPED_TRACE(name);
    expect_close(run(config), run(parts), 1e-5);
  }
}

// Old scores at the first inner step, backward passes of groups that have nothing to learn, ….
TEST(Train, WorkThatNothingComesOfChangesNoBit) {
  for (const std::string& name : objectives()) {
    TrainConfig saving = tiny_training(base(), fresh_folder("saving"));
    assign(saving, "objective.name", name);
    saving.steps = 2;
    saving.micro_batch = 1;
    SCOPED_TRACE(name);
    TrainConfig wasting = saving;
    wasting.run_dir = fresh_folder("wasting");
    wasting.compute.reuse = false;
    run(saving);
    run(wasting);
    expect_same_products(saving.run_dir, wasting.run_dir);
  }
}

// Options that take other paths through a step.
TEST(Train, EveryWayToLookBackRuns) {
  using Options = std::vector<std::pair<const char*, const char*>>;
  for (const Options& options :
       {Options{{"objective.name", "dmpo"}, {"objective.advantage.centring", "current"}},
        Options{{"objective.name", "dmpo"},
                {"objective.loss", "ddo"},
                {"objective.advantage.centring", "none"}},
        Options{{"objective.name", "wd1"}, {"objective.advantage.reference", "true"}},
        Options{{"objective.name", "gdsd"}, {"objective.reference", "teacher"}},
        Options{{"objective.name", "gdsd_tlc"}, {"objective.masking.score", "centred_logit"}}}) {
    TrainConfig config = tiny_training(base(), fresh_folder(options.back().second));
    for (const auto& [path, value] : options) assign(config, path, value);
    validate(config);
    const Recorder done = run(config);
    ASSERT_EQ(done.reports.size(), 6u) << options.back().first;
    for (const StepReport& report : done.reports)
      for (const auto& [name, value] : report.metrics) EXPECT_TRUE(std::isfinite(value)) << name;
  }
}

TEST(Train, WithoutBetaThereIsNoReferenceAndNoKl) {
  TrainConfig config = tiny_training(base(), fresh_folder("run"));
  std::get<GdsdOptions>(config.objective).beta = 0;
  for (const StepReport& report : run(config).reports)
    if (report.step > 0) {
      EXPECT_EQ(report.metrics.at("kl"), 0);
    }
}

TEST(Run, AnInterruptSavesAndTheSameCommandGoesOn) {
  const auto whole = fresh_folder("whole"), folder = fresh_folder("run");
  run(tiny_training(base(), whole));
  Recorder first;
  first.interrupt_after = 3;  // reports before: steps 0, 1, 2
  EXPECT_EQ(train(tiny_training(base(), folder), Existing::kResume, first), Outcome::kInterrupted);
  const Recorder second = run(tiny_training(base(), folder));
  EXPECT_EQ(second.resumed_after, 3);
  expect_same_products(whole, folder);
}

TEST(Run, ADamagedCheckpointIsPassedOverWithAWarning) {
  const auto whole = fresh_folder("whole"), folder = fresh_folder("run");
  run(tiny_training(base(), whole));
  run(tiny_training(base(), folder));
  for (const char* file : {"model.safetensors", "trainer/state.json", "config.json"}) {
    const fs::path victim = folder / "latest" / file;
    std::string bytes = read_file(victim);
    bytes[bytes.size() / 2] ^= 1;
    std::ofstream(victim, std::ios::binary) << bytes;
    const Recorder again = run(tiny_training(base(), folder));
    ASSERT_EQ(again.notices.size(), 1u);
    EXPECT_NE(again.notices[0].find(file), std::string::npos) << again.notices[0];
    EXPECT_EQ(again.resumed_after, 4);
    expect_same_products(whole, folder);
  }
  fs::remove(folder / "latest" / "manifest.json");
  EXPECT_EQ(run(tiny_training(base(), folder)).notices.size(), 1u);
  expect_same_products(whole, folder);
}

TEST(Run, AFinishedRunHasNothingToDoAndMoreStepsGoOn) {
  TrainConfig config = tiny_training(base(), fresh_folder("run"));
  run(config);
  EXPECT_EQ(run(config).reports.size(), 0u);
  config.steps = 7;
  EXPECT_EQ(run(config).reports.size(), 2u);
}

TEST(Run, RefusesAFolderThatHoldsSomethingElse) {
  const auto folder = fresh_folder("run");
  TrainConfig config = tiny_training(base(), folder);
  run(config);
  config.optimizer.lr = 1e-5;
  EXPECT_NE(error_of([&] { run(config); }).find("optimizer.lr was '3e-04', now '1e-05'"),
            std::string::npos);
  EXPECT_EQ(run(config, Existing::kSetAside).resumed_after, 0);
  EXPECT_TRUE(fs::exists(folder.string() + ".old/metrics.jsonl"));

  const auto other = fresh_folder("other");
  fs::create_directories(other);
  std::ofstream(other / "thesis.tex") << "precious";
  EXPECT_NE(error_of([&] { run(tiny_training(base(), other)); }).find("holds no run"),
            std::string::npos);
  EXPECT_EQ(read_file(other / "thesis.tex"), "precious");
}

TEST(Run, AFullDiskIsAClearErrorAndLosesNothing) {
  TrainConfig config = tiny_training(base(), fresh_folder("run"));
  config.steps = 2;
  run(config);
  const auto before = products(config.run_dir);
  config.steps = 4;
  rlimit old{};
  getrlimit(RLIMIT_FSIZE, &old);
  const rlimit small{.rlim_cur = 4096, .rlim_max = old.rlim_max};  // less than the weights
  std::signal(SIGXFSZ, SIG_IGN);
  setrlimit(RLIMIT_FSIZE, &small);
  const std::string error = error_of([&] { run(config); });
  setrlimit(RLIMIT_FSIZE, &old);
  EXPECT_NE(error.find("File too large"), std::string::npos) << error;
  EXPECT_TRUE(products(config.run_dir).at("latest/model.safetensors") ==
              before.at("latest/model.safetensors"));
  EXPECT_EQ(run(config).reports.size(), 2u);  // and it goes on when there is room again
}

/// A file of problems of `code` that a model of digits can read and write.
fs::path digit_programs() {
  const auto file = fresh_folder("programs.jsonl");
  std::ofstream out(file);
  for (int i = 0; i < 81; ++i)
    out << R"({"question": ")" << 1 + i / 27 << 1 + i / 9 % 3 << 1 + i / 3 % 3 << 1 + i % 3
        << R"(", "tests": ["assert True"]})"
        << "\n";
  return file;
}

/// What both verbs report, for every objective and task.
std::set<std::string> reported_metrics() {
  Recorder recorder;
  TrainConfig several = tiny_training(base(), fresh_folder("several_rewards"));
  several.task = SudokuOptions{.rewards = "sudoku, sudoku_released 0.5"};
  several.eval = {.every = 2, .problems = 4, .samples = 2, .temperature = 1};
  several.steps = 2;
  train(several, Existing::kResume, recorder);
  TrainConfig code = tiny_training(base(), fresh_folder("code"));
  code.task = CodeOptions{.files = {.train = digit_programs()}, .prompt = CodePrompt::kBare};
  code.eval.problems = 0;
  code.steps = 2;
  train(code, Existing::kResume, recorder);
  for (const char* task : {"sudoku", "countdown"}) {
    PretrainConfig base_config = tiny_pretraining(fresh_folder(concat("base_", task)));
    assign(base_config, "task.name", task);
    pretrain(base_config, Existing::kResume, recorder);
    for (const std::string& objective : objectives()) {
      TrainConfig config = tiny_training(fs::path(base_config.run_dir) / "latest",
                                         fresh_folder(concat(task, "_", objective)));
      assign(config, "task.name", task);
      assign(config, "objective.name", objective);
      config.steps = 2;
      train(config, Existing::kResume, recorder);
    }
  }
  TrainConfig approximate = tiny_training(base(), fresh_folder("approximate"));
  approximate.rollout.sampler.cache = Cache::kDual;
  approximate.steps = 2;
  train(approximate, Existing::kResume, recorder);
  std::set<std::string> names;
  for (const StepReport& report : recorder.reports)
    for (const auto* figures : {&report.metrics, &report.timing})
      for (const auto& [name, value] : *figures) names.insert(name);
  return names;
}

TEST(Docs, EveryMetricIsDefinedAndEveryRowIsAMetric) {
  std::set<std::string> rows, used;
  std::ifstream page(GDSD_SOURCE_DIR "/docs/metrics.md");
  const std::regex row("^\\| `([a-z_/@*]+)` \\|.*");
  for (std::string line; std::getline(page, line);) {
    if (line.starts_with("## `gdsd compare")) break;  // figures of many runs: cli_test.py
    std::smatch match;
    if (std::regex_match(line, match, row)) rows.insert(match[1]);
  }
  for (const std::string& name : reported_metrics()) {
    const size_t last = name.find_last_of("/@");
    const std::string kind = last == std::string::npos ? name : name.substr(0, last + 1) + "*";
    EXPECT_TRUE(rows.contains(name) || rows.contains(kind))
        << "docs/metrics.md has no row for `" << name << "`";
    used.insert({name, kind});
  }
  for (const std::string& name : rows)
    EXPECT_TRUE(used.contains(name)) << "no run reports `" << name << "` of docs/metrics.md";
}

TEST(Configs, EveryFileLoadsAndItsDumpReadsBack) {
  int files = 0;
  for (const auto& entry : fs::recursive_directory_iterator(GDSD_SOURCE_DIR "/configs")) {
    const std::string folder = entry.path().parent_path().filename();
    if (entry.is_directory() || folder == "eval") continue;  // `gdsd eval` has a test of those
    const std::string text = read_file(entry.path());
    const bool is_pretraining = text.find("objective:") == std::string::npos;
    const auto round_trip = [&](auto config) {
      const std::string yaml = to_yaml(list_fields(config));
      const auto copy = fresh_folder("copy.yaml");
      std::ofstream(copy) << yaml;
      EXPECT_EQ(to_yaml(list_fields(load_options<decltype(config)>(copy))), yaml);
    };
    if (is_pretraining)
      round_trip(load_options<PretrainConfig>(entry.path()));
    else
      round_trip(load_options<TrainConfig>(entry.path()));
    ++files;
  }
  EXPECT_GE(files, 3);
}

}  // namespace
}  // namespace gdsd
