// The status line of a run, and numbers as people read them.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <ostream>
#include <string>

namespace gdsd {

/// A line that says where a run stands. On a terminal it is rewritten in place, below the lines
/// that stay; elsewhere (a file, a pipe) every line is a plain one. Not for several threads.
class StatusLine {
 public:
  StatusLine(std::ostream& out, bool terminal) : out_(out), terminal_(terminal) {}
  ~StatusLine() { finish(); }
  StatusLine(const StatusLine&) = delete;
  StatusLine& operator=(const StatusLine&) = delete;

  /// Columns of the terminal, which the caller asks for (TIOCGWINSZ); 80 until told.
  void set_width(size_t columns) { width_ = columns; }

  /// Replaces the status by `text`, one line of UTF-8, cut to the terminal's width.
  void show(const std::string& text);

  /// Prints a line that stays, above the status.
  void line(const std::string& text);

  /// Leaves the status where it is and goes on below it.
  void finish();

 private:
  void draw();

  std::ostream& out_;
  bool terminal_;
  size_t width_ = 80;
  std::string status_;  // what stands on the terminal's last line; empty for nothing
};

/// How long the rest takes, at the mean pace of the last 20 steps.
class Eta {
 public:
  /// `done` of the `total` steps were made before, by the run that is resumed.
  explicit Eta(int64_t total, int64_t done = 0) : total_(total), done_(done) {}

  /// One more step is done; it took so long.
  void step(double seconds);

  /// nullopt before the first step.
  std::optional<double> seconds_per_step() const;
  std::optional<double> seconds_left() const;

 private:
  int64_t total_, done_;
  std::deque<double> last_;
};

/// So many digits after the point: "0.954".
std::string fixed(double value, int digits);

/// "12 ms", "0.8 s", "41 s", "5 m 12 s", "3 h 42 m", "2 d 7 h". For seconds that are not negative.
std::string human_duration(double seconds);

/// Three digits: "312", "14.2k", "8.02B".
std::string human_count(double count);

/// "512 B", "1.9 GiB".
std::string human_bytes(double bytes);

/// The first `columns` characters of UTF-8 text, the last of them "…" if some were cut.
std::string cut_to_width(const std::string& text, size_t columns);

}  // namespace gdsd
