// Kills runs with SIGKILL at random moments of every phase, starts them again, and compares what
// they leave with an uninterrupted run, bit for bit. Every run has a process of its own; this one
// never computes, so that forking it is safe.
#include <sys/wait.h>

#include <chrono>
#include <csignal>
#include <iostream>
#include <thread>

#include "cli/console.h"
#include "gdsd/base/random.h"
#include "tests/train/tiny_run.h"

namespace gdsd {
namespace {

namespace fs = std::filesystem;

/// Kills the process so long after some occurrence of a phase has begun.
struct Killer : Recorder {
  Phase phase;
  size_t occurrence;
  std::chrono::duration<double> delay;
  size_t seen = 0;

  Killer(Phase p, size_t nth, double seconds) : phase(p), occurrence(nth), delay(seconds) {}

  void on_phase(Phase begun) override {
    if (begun != phase || seen++ != occurrence) return;
    std::thread([wait = delay] {
      std::this_thread::sleep_for(wait);
      kill(getpid(), SIGKILL);
    }).detach();
  }
};

/// What became of a child that does `work`: the status of waitpid.
int status_of(const std::function<void()>& work) {
  const pid_t child = fork();
  if (child == 0) {
    try {
      work();
      _exit(0);
    } catch (const std::exception& e) {
      std::fprintf(stderr, "%s\n", e.what());
      _exit(1);
    }
  }
  int status = 0;
  waitpid(child, &status, 0);
  return status;
}

/// Runs `work` in a child → whether it was killed. Anything but a kill or success fails the test.
bool killed(const std::function<void()>& work) {
  const int status = status_of(work);
  const bool by_kill = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
  EXPECT_TRUE(by_kill || (WIFEXITED(status) && WEXITSTATUS(status) == 0)) << "status " << status;
  return by_kill;
}

using Start = std::function<void(const fs::path&, Observer&)>;

/// Where a phase stands in a run: its number among those of its kind, and how long it took.
struct Stretch {
  size_t occurrence;
  double seconds;
};

/// Every time a phase came in a run, but for the end of step 0, which saves nothing.
std::vector<Stretch> stretches(const fs::path& run_dir, Phase phase) {
  const auto name = concat("seconds/", enum_names(phase).at(static_cast<size_t>(phase)));
  std::vector<Stretch> found;
  size_t occurrence = 0;
  for (const auto& line : read_metrics(run_dir / "timing.jsonl")) {
    if (!line.contains(name)) continue;
    if (phase != Phase::kSave || line.at("step") > 0) found.push_back({occurrence, line.at(name)});
    ++occurrence;
  }
  return found;
}

/// Whether a kill left a checkpoint that is half written or half removed.
bool left_half_a_checkpoint(const fs::path& run_dir) {
  if (!fs::exists(run_dir / "checkpoints")) return false;
  for (const auto& entry : fs::directory_iterator(run_dir / "checkpoints"))
    if (entry.path().filename().string().starts_with(".")) return true;
  return false;
}

/// Kills and resumes `start` at so many moments of each phase.
void kill_and_compare(const Start& start, const std::map<Phase, int>& moments) {
  const auto whole = fresh_folder("whole");
  ASSERT_FALSE(killed([&] {
    Recorder quiet;
    start(whole, quiet);
  }));
  int halves = 0;
  for (const auto& [phase, n] : moments) {
    const auto name = enum_names(phase).at(static_cast<size_t>(phase));
    const auto all = stretches(whole, phase);
    int kills = 0;
    for (int i = 0; i < n; ++i) {
      const Key key = Key{7}.fork(name, i);
      const Stretch& s = all.at(below(key, 0, all.size()));
      const auto run_dir = fresh_folder("killed");
      kills += killed([&] {
        Killer killer(phase, s.occurrence, 1.2 * s.seconds * uniform(key, 1));
        start(run_dir, killer);
      });
      halves += left_half_a_checkpoint(run_dir);
      ASSERT_FALSE(killed([&] {
        Recorder quiet;
        start(run_dir, quiet);
      }));
      expect_same_products(whole, run_dir);
      EXPECT_FALSE(left_half_a_checkpoint(run_dir));
      if (testing::Test::HasFailure()) FAIL() << "phase " << name << ", moment " << i;
    }
    EXPECT_GE(kills, n / 2) << "too few runs were killed in phase " << name;
  }
  EXPECT_GE(halves, 1) << "no kill came while a checkpoint was written or removed";
}

/// Saves after every step and evaluates after every step, on puzzles that are easy to solve by
/// chance, so that the best checkpoint changes.
template <class Config>
Config saving_often(Config config) {
  config.task = SudokuOptions{.blanks_min = 1, .blanks_max = 2};
  config.save_every = 1;
  config.keep_last = 1;
  config.eval = {.every = 1, .problems = 16};
  return config;
}

const fs::path& base_model() {
  static const fs::path folder = fresh_folder("base");
  if (!fs::exists(folder)) {
    EXPECT_FALSE(killed([&] {
      Recorder quiet;
      pretrain(tiny_pretraining(folder), Existing::kResume, quiet);
    }));
  }
  static const fs::path latest = folder / "latest";
  return latest;
}

TEST(Resume, TrainingKilledAtAnyMomentLeavesTheSameBits) {
  const fs::path model = base_model();
  kill_and_compare(
      [&](const fs::path& run_dir, Observer& observer) {
        TrainConfig config = saving_often(tiny_training(model, run_dir));
        config.inner_steps = 2;
        config.micro_batch = 3;
        train(config, Existing::kResume, observer);
      },
      {{Phase::kAct, 10},
       {Phase::kReward, 5},
       {Phase::kLookBack, 10},
       {Phase::kLearn, 10},
       {Phase::kEvaluate, 10},
       {Phase::kSave, 40}});
}

TEST(Resume, EspoKilledAtAnyMomentLeavesTheSameBits) {
  const fs::path model = base_model();
  kill_and_compare(
      [&](const fs::path& run_dir, Observer& observer) {
        TrainConfig config = saving_often(tiny_training(model, run_dir));
        config.objective = EspoOptions{};
        train(config, Existing::kResume, observer);
      },
      {{Phase::kLookBack, 5}, {Phase::kLearn, 10}, {Phase::kSave, 15}});
}

TEST(Resume, PretrainingKilledAtAnyMomentLeavesTheSameBits) {
  kill_and_compare(
      [&](const fs::path& run_dir, Observer& observer) {
        pretrain(saving_often(tiny_pretraining(run_dir)), Existing::kResume, observer);
      },
      {{Phase::kLearn, 10}, {Phase::kEvaluate, 5}, {Phase::kSave, 30}});
}

TEST(Console, ASignalEndsTheProgramAtOnceUntilThereIsAStepToSave) {
  const int before = status_of([] {
    Console console(std::cerr, /*terminal=*/false);
    raise(SIGTERM);
  });
  EXPECT_TRUE(WIFEXITED(before) && WEXITSTATUS(before) == 130) << before;
  const int after = status_of([] {
    Console console(std::cerr, /*terminal=*/false);
    console.on_start({}, /*done=*/0, /*total=*/5);
    check(!console.interrupted(), "no signal yet");
    raise(SIGINT);
    check(console.interrupted(), "one signal");
  });
  EXPECT_TRUE(WIFEXITED(after) && WEXITSTATUS(after) == 0) << after;
  const int twice = status_of([] {
    Console console(std::cerr, /*terminal=*/false);
    console.on_start({}, /*done=*/0, /*total=*/5);
    raise(SIGINT);
    raise(SIGINT);
  });
  EXPECT_TRUE(WIFEXITED(twice) && WEXITSTATUS(twice) == 130) << twice;
}

}  // namespace
}  // namespace gdsd
