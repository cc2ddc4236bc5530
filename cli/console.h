// A run on the terminal: a table at the start, a status line for every step, plain lines elsewhere.
#pragma once

#include <ostream>

#include "gdsd/base/progress.h"
#include "gdsd/train/observer.h"

namespace gdsd {

class Console : public Observer {
 public:
  /// Narrates to `out`, which is a terminal or not. Ctrl-C ends the run after the step it is in;
  /// before the first step, or a second time, it ends the program at once.
  Console(std::ostream& out, bool terminal);

  void on_start(const std::vector<std::pair<std::string, std::string>>& rows, int64_t done,
                int64_t total) override;
  void on_step(const StepReport& report) override;
  void on_notice(const std::string& text) override;
  bool interrupted() override;

 private:
  StatusLine line_;
  Eta eta_{0};
};

/// Width of the terminal that standard error is, or 80.
size_t terminal_width();

}  // namespace gdsd
