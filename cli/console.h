// A run on the terminal: a table at the start, a status line for every step, plain lines elsewhere.
#pragma once

#include <chrono>
#include <functional>
#include <ostream>

#include "gdsd/base/progress.h"
#include "gdsd/train/observer.h"

namespace gdsd {

/// What a step computes, and what the machine could.
struct Speed {
  double flops = 0;  // of a step's rollouts, look back and learning
  double peak = 0;   // a second
};

class Console : public Observer {
 public:
  /// Narrates to `out`, which is a terminal or not. Ctrl-C ends the run after the step it is in;
  /// before the first step, or a second time, it ends the program at once.
  Console(std::ostream& out, bool terminal);

  /// Steps show their share of the peak; `measure` is called when the run begins.
  void show_share(std::function<Speed()> measure) { measure_ = std::move(measure); }

  void on_start(const std::vector<std::pair<std::string, std::string>>& rows, int64_t done,
                int64_t total) override;
  void on_step(const StepReport& report) override;
  void on_notice(const std::string& text) override;
  bool interrupted() override;

 private:
  bool wants_line(const StepReport& report);

  StatusLine line_;
  bool terminal_;
  Eta eta_{0};
  std::function<Speed()> measure_;
  Speed speed_;
  std::chrono::steady_clock::time_point last_line_;  // of a step
};

struct TerminalSize {
  size_t height = 24, width = 80;
};

/// That of the terminal that standard error is; where it is none, the usual one.
TerminalSize terminal_size();

}  // namespace gdsd
