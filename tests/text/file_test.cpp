#include "gdsd/base/file.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <functional>
#include <string>

#include "gdsd/base/check.h"
#include "tests/error_of.h"

namespace gdsd {
namespace {

namespace fs = std::filesystem;

class FileTest : public testing::Test {
 protected:
  FileTest() {
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  ~FileTest() override { fs::remove_all(folder_); }

  const fs::path folder_ = fs::path(testing::TempDir()) / ("file_test." + std::to_string(getpid()));
  const fs::path file_ = folder_ / "a.bin";
};

/// While it lives no file grows beyond so many bytes: write() comes back short and then fails.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{bytes, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() {
    setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }

 private:
  rlimit before_;
  void (*handler_)(int);
};

size_t files_in(const fs::path& folder) {
  return static_cast<size_t>(std::distance(fs::directory_iterator(folder), {}));
}

TEST_F(FileTest, ReadsBackWhatWasWritten) {
  const std::string bytes("a\0b\r\n\xff", 6);
  write_file(file_, "something longer");
  write_file(file_, bytes);
  EXPECT_EQ(read_file(file_), bytes);
  EXPECT_EQ(files_in(folder_), 1u);
  write_file(file_, "");
  EXPECT_EQ(read_file(file_), "");
  const std::string large(1 << 20, 'x');
  write_file(file_, large);
  EXPECT_EQ(read_file(file_), large);
  EXPECT_NE(read_file("/proc/self/status").find("Pid:"), std::string::npos);  // says size 0
}

TEST_F(FileTest, AFailedWriteKeepsTheOldFileAndLeavesNothing) {
  write_file(file_, "old");
  std::string error;
  {
    const FileSizeLimit limit(1000);
    error = error_of([&] { write_file(file_, std::string(5000, 'x')); });
  }
  EXPECT_EQ(error, "[write_file] " + file_.string() + ": File too large.");
  EXPECT_EQ(read_file(file_), "old");
  EXPECT_EQ(files_in(folder_), 1u);
}

TEST_F(FileTest, AFailedRenameLeavesNothing) {
  fs::create_directories(file_ / "not empty");
  EXPECT_EQ(error_of([&] { write_file(file_, "new"); }),
            "[write_file] " + file_.string() + ": Is a directory.");
  EXPECT_EQ(files_in(folder_), 1u);
}

TEST_F(FileTest, DoesNotReplaceALink) {
  fs::create_symlink("elsewhere", file_);
  EXPECT_EQ(
      error_of([&] { write_file(file_, "new"); }),
      "[write_file] " + file_.string() + " is no regular file: a link or device is not replaced.");
  EXPECT_TRUE(fs::is_symlink(file_));
}

TEST_F(FileTest, ErrorsNameThePath) {
  write_file(file_, "");
  const std::string below = (file_ / "b").string();
  EXPECT_EQ(error_of([&] { write_file(below, "x"); }),
            "[write_file] " + below + ": Not a directory.");
  EXPECT_EQ(error_of([&] { read_file(below); }), "[read_file] " + below + ": Not a directory.");
  EXPECT_EQ(error_of([&] { read_file(folder_); }),
            "[read_file] " + folder_.string() + ": Is a directory.");
  EXPECT_EQ(error_of([&] { sync_folder(file_); }),
            "[sync_folder] " + file_.string() + ": Not a directory.");
  EXPECT_EQ(error_of([&] { AppendFile log(below); }),
            "[AppendFile] " + below + ": Not a directory.");
}

TEST_F(FileTest, AppendGrowsWhatIsThere) {
  {
    AppendFile log(file_);
    log.append("one\n");
    log.append("two\n");
    log.sync();
    EXPECT_EQ(log.size(), 8u);
  }
  AppendFile log(file_);
  EXPECT_EQ(log.size(), 8u);
  log.append("three\n");
  EXPECT_EQ(log.size(), 14u);
  EXPECT_EQ(read_file(file_), "one\ntwo\nthree\n");
}

TEST_F(FileTest, AppendForgetsWhatTheCheckpointDoesNotKnow) {
  write_file(file_, "one\ntwo\nthr");
  AppendFile log(file_, 8);
  EXPECT_EQ(log.size(), 8u);
  log.append("3\n");
  EXPECT_EQ(read_file(file_), "one\ntwo\n3\n");
  EXPECT_EQ(
      error_of([&] { AppendFile again(file_, 11); }),
      "[AppendFile] " + file_.string() + " has lost its end, got 10 bytes, expected at least 11.");
  EXPECT_EQ(read_file(file_), "one\ntwo\n3\n");
}

TEST_F(FileTest, AppendNeverLeavesPartOfWhatFailed) {
  AppendFile log(file_);
  log.append("one\n");
  std::string error;
  {
    const FileSizeLimit limit(6);
    error = error_of([&] { log.append("two\n"); });
  }
  EXPECT_EQ(error, "[AppendFile::append] " + file_.string() + ": File too large.");
  EXPECT_EQ(read_file(file_), "one\n");
  log.append("2\n");
  EXPECT_EQ(read_file(file_), "one\n2\n");
}

TEST(File, AFullDiskHasAHint) {
  AppendFile log("/dev/full");
  EXPECT_EQ(error_of([&] { log.append("x"); }),
            "[AppendFile::append] /dev/full: No space left on device; free some space; nothing was "
            "lost.");
  EXPECT_EQ(log.size(), 0u);
}

TEST(File, Crc32cHasTheKnownValues) {  // RFC 3720 B.4 and the check value of the catalogue
  EXPECT_EQ(crc32c("123456789"), 0xe3069283);
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8a9136aa);
  EXPECT_EQ(crc32c(""), 0u);
}

}  // namespace
}  // namespace gdsd
