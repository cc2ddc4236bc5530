#include "gdsd/tensor/free_memory.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "gdsd/base/check.h"

namespace gdsd {
namespace {

namespace fs = std::filesystem;

/// A machine of files.
class FreeMemory : public testing::Test {
 protected:
  void SetUp() override {
    write("proc/meminfo", "MemTotal: 9000 kB\nMemAvailable:   1000 kB\n");
    write("proc/self/cgroup", "0::/user/run\n");
  }
  void TearDown() override { fs::remove_all(root_); }
  void write(const std::string& path, const std::string& text) const {
    fs::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path) << text;
  }

  const fs::path root_ = fs::path(testing::TempDir()) / concat("gdsd_free_memory_", getpid());
};

TEST_F(FreeMemory, IsWhatTheMachineHasWhereNoGroupIsBound) {
  write("sys/fs/cgroup/user/run/memory.max", "max\n");
  EXPECT_EQ(free_host_memory(root_), 1000 * 1024);
}

TEST_F(FreeMemory, IsWhatTheTightestGroupHasLeft) {
  const std::string group = "sys/fs/cgroup/user/";
  write(group + "run/memory.max", "900000\n");
  write(group + "run/memory.current", "100000\n");
  EXPECT_EQ(free_host_memory(root_), 800000);
  write(group + "memory.max", "500000\n");
  write(group + "memory.current", "300000\n");
  EXPECT_EQ(free_host_memory(root_), 200000);
  write(group + "memory.stat", "anon 5\ninactive_file 40000\n");
  EXPECT_EQ(free_host_memory(root_), 240000);
}

TEST_F(FreeMemory, KnowsTheFirstVersionOfGroups) {
  write("proc/self/cgroup", "5:cpu:/\n4:memory:/job\n");
  write("sys/fs/cgroup/memory/job/memory.limit_in_bytes", "70000\n");
  write("sys/fs/cgroup/memory/job/memory.usage_in_bytes", "50000\n");
  write("sys/fs/cgroup/memory/job/memory.stat", "total_inactive_file 1000\n");
  EXPECT_EQ(free_host_memory(root_), 21000);
}

}  // namespace
}  // namespace gdsd
