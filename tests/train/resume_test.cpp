// Kills runs with SIGKILL at random moments of every phase, starts them again, and compares what
// they leave with an uninterrupted run, bit for bit. Every run has a process of its own; this one
// never computes, so that forking it is safe.
#include <sys/wait.h>

#include <chrono>
#include <functional>
#include <thread>

#include "gdsd/base/random.h"
#include "tests/train/tiny_run.h"

namespace gdsd {
namespace {

constexpr int kMoments = 20;  // in each phase

/// Kills the process a random while into some occurrence of a phase.
struct Killer : Recorder {
  Phase phase;
  uint64_t occurrence;
  std::chrono::microseconds delay;
  uint64_t seen = 0;

  Killer(Phase p, Key key)
      : phase(p),
        occurrence(below(key, 0, 3)),
        delay(static_cast<int64_t>(1500 * uniform(key, 1) * uniform(key, 2))) {}

  void on_phase(Phase begun) override {
    if (begun != phase || seen++ != occurrence) return;
    std::thread([wait = delay] {
      std::this_thread::sleep_for(wait);
      kill(getpid(), SIGKILL);
    }).detach();
  }
};

/// Runs `work` in a child → whether it was killed. Anything but a kill or success fails the test.
bool killed(const std::function<void()>& work) {
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
  const bool by_kill = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
  EXPECT_TRUE(by_kill || (WIFEXITED(status) && WEXITSTATUS(status) == 0)) << "status " << status;
  return by_kill;
}

using Start = std::function<void(const std::filesystem::path&, Observer&)>;

/// Kills and resumes `start` at kMoments moments of each phase.
void kill_and_compare(const Start& start, std::initializer_list<Phase> phases) {
  const auto whole = fresh_folder("whole");
  ASSERT_FALSE(killed([&] {
    Recorder quiet;
    start(whole, quiet);
  }));
  for (Phase phase : phases) {
    const auto name = enum_names(phase).at(static_cast<size_t>(phase));
    int kills = 0;
    for (int i = 0; i < kMoments; ++i) {
      const auto run = fresh_folder("killed");
      kills += killed([&] {
        Killer killer(phase, Key{7}.fork(name, i));
        start(run, killer);
      });
      ASSERT_FALSE(killed([&] {
        Recorder quiet;
        start(run, quiet);
      }));
      expect_same_products(whole, run);
      if (testing::Test::HasFailure()) FAIL() << "phase " << name << ", moment " << i;
    }
    EXPECT_GE(kills, kMoments / 2) << "too few runs were killed in phase " << name;
  }
}

TEST(Resume, TrainingKilledAtAnyMomentLeavesTheSameBits) {
  const auto base = fresh_folder("base");
  ASSERT_FALSE(killed([&] {
    Recorder quiet;
    pretrain(tiny_pretraining(base), Existing::kResume, quiet);
  }));
  kill_and_compare(
      [&](const std::filesystem::path& run_dir, Observer& observer) {
        train(tiny_training(base / "latest", run_dir), Existing::kResume, observer);
      },
      {Phase::kAct, Phase::kReward, Phase::kLookBack, Phase::kLearn, Phase::kEvaluate,
       Phase::kSave});
}

TEST(Resume, PretrainingKilledAtAnyMomentLeavesTheSameBits) {
  kill_and_compare(
      [&](const std::filesystem::path& run_dir, Observer& observer) {
        pretrain(tiny_pretraining(run_dir), Existing::kResume, observer);
      },
      {Phase::kLearn, Phase::kEvaluate, Phase::kSave});
}

}  // namespace
}  // namespace gdsd
