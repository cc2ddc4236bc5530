#include "gdsd/base/run_lock.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <optional>

#include "gdsd/base/check.h"
#include "gdsd/base/file.h"

namespace gdsd {
namespace {

namespace fs = std::filesystem;

class RunLockTest : public testing::Test {
 protected:
  RunLockTest() {
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  ~RunLockTest() override { fs::remove_all(folder_); }

  /// "" if the lock can be had, else what is said.
  std::string refusal() const {
    try {
      const RunLock lock(folder_);
    } catch (const Error& e) {
      return e.what();
    }
    return "";
  }

  const fs::path folder_ = fs::path(testing::TempDir()) / ("run_lock." + std::to_string(getpid()));
};

TEST_F(RunLockTest, IsHeldOnceAndSaysByWhom) {
  std::optional<RunLock> first(folder_);
  const std::string signature = read_file(folder_ / ".lock");
  EXPECT_EQ(signature.find(concat("pid ", getpid(), " on ")), 0u) << signature;
  EXPECT_EQ(refusal(), concat("[run_dir] ", folder_.string(), ": another gdsd (", signature,
                              ") is using this run folder."));
  EXPECT_EQ(read_file(folder_ / ".lock"), signature);
  first.reset();
  EXPECT_EQ(refusal(), "");
}

TEST_F(RunLockTest, EndsWithAKilledProcess) {
  std::array<int, 2> ready{};
  ASSERT_EQ(pipe(ready.data()), 0);
  const pid_t child = fork();
  if (child == 0) {
    const RunLock lock(folder_);
    [[maybe_unused]] const auto n = write(ready[1], "!", 1);
    for (;;) pause();
  }
  char sign = 0;
  ASSERT_EQ(read(ready[0], &sign, 1), 1);
  EXPECT_NE(refusal().find(concat("(pid ", child, " on ")), std::string::npos) << refusal();
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  EXPECT_EQ(refusal(), "");
  close(ready[0]);
  close(ready[1]);
}

TEST_F(RunLockTest, GoesWithTheFolderWhenThatIsRenamed) {
  const RunLock first(folder_);
  const fs::path aside = folder_.string() + ".old";
  fs::rename(folder_, aside);
  fs::create_directories(folder_);
  EXPECT_EQ(refusal(), "");  // of the new folder
  EXPECT_THROW(RunLock second(aside), Error);
  fs::remove_all(aside);
}

}  // namespace
}  // namespace gdsd
