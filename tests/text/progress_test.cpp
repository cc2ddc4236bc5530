#include "gdsd/base/progress.h"

#include <gtest/gtest.h>

#include <sstream>

namespace gdsd {
namespace {

TEST(StatusLine, IsRewrittenInPlaceOnATerminal) {
  std::ostringstream out;
  {
    StatusLine status(out, /*terminal=*/true);
    status.line("starts");
    EXPECT_EQ(out.str(), "starts\n");
    status.show("step 1");
    status.show("step 2");
    EXPECT_EQ(out.str(), "starts\n\r\x1b[Kstep 1\r\x1b[Kstep 2");
    out.str("");
    status.line("saved");
    EXPECT_EQ(out.str(), "\r\x1b[Ksaved\n\r\x1b[Kstep 2");
    out.str("");
  }
  EXPECT_EQ(out.str(), "\n");  // the shell's prompt does not land behind it
}

TEST(StatusLine, IsCutToTheWidthOfTheTerminal) {
  std::ostringstream out;
  StatusLine status(out, /*terminal=*/true);
  status.set_width(9);
  status.show("±±± 5678");
  status.show("±±± 56789");
  EXPECT_EQ(out.str(), "\r\x1b[K±±± 5678\r\x1b[K±±± 567…");
}

TEST(StatusLine, IsPlainLinesElsewhere) {
  std::ostringstream out;
  {
    StatusLine status(out, /*terminal=*/false);
    status.set_width(3);
    status.show("step 1");
    status.line("saved");
    status.show("step 2");
  }
  EXPECT_EQ(out.str(), "step 1\nsaved\nstep 2\n");
}

TEST(Progress, CutsBetweenCharacters) {
  EXPECT_EQ(cut_to_width("", 3), "");
  EXPECT_EQ(cut_to_width("abc", 3), "abc");
  EXPECT_EQ(cut_to_width("aé€😀", 4), "aé€😀");
  EXPECT_EQ(cut_to_width("aé€😀", 3), "aé…");
  EXPECT_EQ(cut_to_width("aé€😀", 1), "…");
  EXPECT_EQ(cut_to_width("aé€😀", 0), "");
}

TEST(Progress, DurationsReadWell) {
  EXPECT_EQ(human_duration(0), "0 ms");
  EXPECT_EQ(human_duration(0.0994), "99 ms");
  EXPECT_EQ(human_duration(0.0996), "0.1 s");
  EXPECT_EQ(human_duration(0.8), "0.8 s");
  EXPECT_EQ(human_duration(9.97), "10 s");
  EXPECT_EQ(human_duration(41), "41 s");
  EXPECT_EQ(human_duration(59.6), "1 m 0 s");
  EXPECT_EQ(human_duration(312), "5 m 12 s");
  EXPECT_EQ(human_duration(3599.6), "1 h 0 m");
  EXPECT_EQ(human_duration(3 * 3600 + 42 * 60 + 29), "3 h 42 m");
  EXPECT_EQ(human_duration(24 * 3600 - 1), "1 d 0 h");
  EXPECT_EQ(human_duration(55 * 3600), "2 d 7 h");
  EXPECT_EQ(human_duration(55.6 * 3600), "2 d 8 h");
}

TEST(Progress, CountsHaveThreeDigits) {
  EXPECT_EQ(human_count(0), "0");
  EXPECT_EQ(human_count(312), "312");
  EXPECT_EQ(human_count(12.34), "12.3");
  EXPECT_EQ(human_count(-0.5), "-0.50");
  EXPECT_EQ(human_count(999.7), "1.00k");
  EXPECT_EQ(human_count(1000), "1.00k");
  EXPECT_EQ(human_count(14199), "14.2k");
  EXPECT_EQ(human_count(126464), "126k");
  EXPECT_EQ(human_count(999600), "1.00M");
  EXPECT_EQ(human_count(8.015e9), "8.02B");
  EXPECT_EQ(human_count(9.996e12), "10.0T");
  EXPECT_EQ(human_count(1e16), "10000T");
}

TEST(Progress, BytesAreBinary) {
  EXPECT_EQ(human_bytes(0), "0 B");
  EXPECT_EQ(human_bytes(1023), "1023 B");
  EXPECT_EQ(human_bytes(1024), "1.0 KiB");
  EXPECT_EQ(human_bytes(1024 * 1024 - 1), "1.0 MiB");
  EXPECT_EQ(human_bytes(2040109466), "1.9 GiB");
  EXPECT_EQ(human_bytes(5e18), "4547473.5 TiB");
}

TEST(Eta, IsTheMeanPaceOfTheLastTwentySteps) {
  Eta eta(/*total=*/100, /*done=*/40);
  EXPECT_EQ(eta.seconds_left(), std::nullopt);
  EXPECT_EQ(eta.seconds_per_step(), std::nullopt);
  eta.step(1000);
  EXPECT_EQ(eta.seconds_left(), 59 * 1000.0);
  for (int i = 0; i < 10; ++i) eta.step(1);
  for (int i = 0; i < 10; ++i) eta.step(2);
  EXPECT_EQ(eta.seconds_per_step(), 1.5);
  EXPECT_EQ(eta.seconds_left(), 39 * 1.5);
}

}  // namespace
}  // namespace gdsd
