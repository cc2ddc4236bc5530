#include "gdsd/base/run_log.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <functional>

#include "gdsd/base/check.h"
#include "tests/error_of.h"

namespace gdsd {
namespace {

namespace fs = std::filesystem;
using Metrics = std::map<std::string, double>;

class RunLogTest : public testing::Test {
 protected:
  RunLogTest() { fs::remove_all(folder_); }
  ~RunLogTest() override { fs::remove_all(folder_); }

  /// Three steps, a checkpoint after the second, a kill in the middle of a line, and a resume
  /// that does the third step again and a fourth.
  void write_killed_and_resumed_run() {
    uint64_t kept = 0;
    {
      RunLog log(folder_, /*first_step=*/1, /*keep_bytes=*/0);
      log.write(1, {{"loss", 1}, {"reward/a", 0.1}});
      log.write_timing(1, {{"seconds", 7.5}});
      log.write(2, {{"loss", 0.5}, {"reward/a", std::nan("")}});
      log.sync();
      kept = log.metrics_bytes();
      log.write(3, {{"loss", 99}, {"reward/a", 99}, {"killed", 99}});
      log.write_timing(3, {{"seconds", 99}});
    }
    AppendFile(folder_ / "metrics.jsonl").append("{\"step\": 4, \"lo");
    AppendFile(folder_ / "timing.jsonl").append("{\"st");
    RunLog log(folder_, /*first_step=*/3, kept);
    log.write(3, {{"loss", 0.25}, {"reward/a", 0.3}});
    log.write_timing(3, {{"seconds", 8}});
    log.write(4, {{"loss", -1e-30}, {"reward/a", 0.4}});
  }

  std::vector<fs::path> event_files() const {
    std::vector<fs::path> all;
    for (const auto& entry : fs::directory_iterator(folder_))
      if (entry.path().filename().string().starts_with("events.out.tfevents."))
        all.push_back(entry.path());
    std::sort(all.begin(), all.end());
    return all;
  }

  const fs::path folder_ = fs::path(testing::TempDir()) / ("run_log." + std::to_string(getpid()));
};

TEST_F(RunLogTest, WritesExactlyTheseBytes) {
  RunLog log(folder_ / "made" / "if need be", /*first_step=*/0, std::nullopt);
  log.write(0, {{"loss", 0.1}, {"clip", 1}, {"a \"b\"", 1.0 / 3}});
  log.write(1, {{"nan", NAN}, {"inf", -INFINITY}, {"small", 5e-324}, {"large", 1e300}});
  log.write(2, {});
  const std::string expected =
      "{\"step\": 0, \"a \\\"b\\\"\": 0.3333333333333333, \"clip\": 1, \"loss\": 0.1}\n"
      "{\"step\": 1, \"inf\": null, \"large\": 1e+300, \"nan\": null, \"small\": 5e-324}\n"
      "{\"step\": 2}\n";
  EXPECT_EQ(read_file(folder_ / "made" / "if need be" / "metrics.jsonl"), expected);
  EXPECT_EQ(log.metrics_bytes(), expected.size());
  EXPECT_EQ(error_of([&] {
              log.write(3, {{"step", 1}});
            }),
            "[RunLog] a metric is called 'step', which is the name of its step.");
}

TEST_F(RunLogTest, ReadsBackWhatWasWritten) {
  const Metrics metrics{{"third", 1.0 / 3}, {"tiny", -5e-324}, {"integer", 1e15}, {"nan", NAN}};
  RunLog log(folder_, /*first_step=*/0, std::nullopt);
  log.write(7, metrics);
  log.write_timing(8, {{"seconds", 0.1}});
  Metrics read = read_metrics(folder_ / "metrics.jsonl").at(0);
  EXPECT_TRUE(std::isnan(read.at("nan")));
  read["nan"] = 0;
  EXPECT_EQ(
      read,
      (Metrics{{"step", 7}, {"third", 1.0 / 3}, {"tiny", -5e-324}, {"integer", 1e15}, {"nan", 0}}));
  EXPECT_EQ(read_metrics(folder_ / "timing.jsonl"),
            (std::vector{Metrics{{"step", 8}, {"seconds", 0.1}}}));
}

TEST_F(RunLogTest, AResumedRunHasTheBytesOfAnUninterruptedOne) {
  write_killed_and_resumed_run();
  const std::string resumed = read_file(folder_ / "metrics.jsonl");
  fs::remove_all(folder_);
  RunLog log(folder_, /*first_step=*/1, /*keep_bytes=*/0);
  log.write(1, {{"loss", 1}, {"reward/a", 0.1}});
  log.write(2, {{"loss", 0.5}, {"reward/a", std::nan("")}});
  log.write(3, {{"loss", 0.25}, {"reward/a", 0.3}});
  log.write(4, {{"loss", -1e-30}, {"reward/a", 0.4}});
  EXPECT_EQ(read_file(folder_ / "metrics.jsonl"), resumed);
}

TEST_F(RunLogTest, TimingKeepsWholeLinesOnly) {
  write_killed_and_resumed_run();
  EXPECT_EQ(read_file(folder_ / "timing.jsonl"),
            "{\"step\": 1, \"seconds\": 7.5}\n{\"step\": 3, \"seconds\": 99}\n"
            "{\"step\": 3, \"seconds\": 8}\n");
}

TEST_F(RunLogTest, ErrorsNameFileAndLine) {
  fs::create_directories(folder_);
  const fs::path file = folder_ / "a.jsonl";
  for (const char* bad : {"{\"step\": 2, \"lo", "", "[1]", "{\"loss\": 1}", "{\"step\": \"2\"}"}) {
    write_file(file, std::string("{\"step\": 1}\n") + bad + "\n{\"step\": 3}\n");
    EXPECT_EQ(error_of([&] { read_metrics(file); }),
              "[read_metrics] " + file.string() +
                  ":2: expected a line like {\"step\": 1, \"loss\": 0.5}.");
  }
  EXPECT_EQ(error_of([&] { RunLog log(file, 0, std::nullopt); }),
            "[RunLog] " + file.string() + ": Not a directory.");
}

// The message as Python's protobuf writes it, the checksums from a CRC computed bit by bit.
TEST(TensorBoard, ARecordHasExactlyTheseBytes) {
  const std::string message(
      "\x09\0\0\0\0\0\0\xf8\x3f"  // 1: wall_time 1.5, a double
      "\x10\xac\x02"              // 2: step 300, seven bits a byte
      "\x2a\x0d\x0a\x0b"          // 5: summary of 13 bytes, its 1: value of 11 bytes
      "\x0a\x04loss"              // 1: tag
      "\x15\0\0\x80\xbe",         // 2: simple_value -0.25, a float
      27);
  EXPECT_EQ(scalar_event(1.5, 300, "loss", -0.25), message);
  EXPECT_EQ(event_record(message), std::string("\x1b\0\0\0\0\0\0\0", 8) + "\x1a\x0d\x9e\x13" +
                                       message + "\x05\x03\x2d\xe0");
}

TEST_F(RunLogTest, EventFilesSortInTheOrderTheyWereMade) {
  fs::create_directories(folder_);
  for (int64_t i = 0; i < 12; ++i) {  // all within a second
    EventWriter writer(folder_, i);
    for (int64_t n = 0; n < i; ++n) writer.scalar("n", 1, n);
  }
  const auto files = event_files();
  ASSERT_EQ(files.size(), 12u);
  for (size_t i = 1; i < files.size(); ++i)
    EXPECT_LT(fs::file_size(files[i - 1]), fs::file_size(files[i]));
}

// Needs a Python with the package tensorboard, named by GDSD_PYTHON.
TEST_F(RunLogTest, TensorBoardShowsAResumedRunAsIfItWereWhole) {
  const char* python = std::getenv("GDSD_PYTHON");
  if (!python) GTEST_SKIP() << "GDSD_PYTHON does not name a Python with tensorboard";
  write_killed_and_resumed_run();
  EXPECT_EQ(event_files().size(), 2u);
  write_file(folder_ / "expected.json",
             R"({"loss": [[1, 1], [2, 0.5], [3, 0.25], [4, -1e-30]],
                 "reward/a": [[1, 0.1], [2, null], [3, 0.3], [4, 0.4]],
                 "killed": [], "timing/seconds": [[1, 7.5], [3, 8]]})");
  const fs::path reader = fs::path(GDSD_SOURCE_DIR) / "tests/tensorboard_reader.py";
  const std::string command = concat("'", python, "' '", reader.string(), "' '", folder_.string(),
                                     "' '", (folder_ / "expected.json").string(), "'");
  EXPECT_EQ(std::system(command.c_str()), 0);
}

}  // namespace
}  // namespace gdsd
