#include "cli/console.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>

#include "gdsd/base/check.h"

namespace gdsd {

namespace {

volatile std::sig_atomic_t interrupts = 0, under_way = 0;

extern "C" void on_stop_signal(int) {
  interrupts = interrupts + 1;
  if (interrupts > 1 || !under_way) std::_Exit(130);
}

std::string small(double value) {
  char text[64];
  std::snprintf(text, sizeof text, "%.2g", value);
  return text;
}

/// The metrics people watch, in order, those that a step has.
std::string describe(const std::map<std::string, double>& m) {
  std::string text;
  auto add = [&](const char* key, const char* label, auto format) {
    const auto found = m.find(key);
    if (found != m.end()) text += concat(" | ", label, " ", format(found->second));
  };
  auto three = [](double v) { return fixed(v, 3); };
  auto percent = [](double v) { return fixed(100 * v, 0) + "%"; };
  add("loss", "loss", three);
  add("reward", "reward", three);
  add("solved", "solved", percent);
  add("kl", "kl", small);
  add("clipped", "clipped", percent);
  add("grad_norm", "grad", small);
  add("eval/solved", "EVAL solved", [&](double v) {
    return concat(fixed(100 * v, 1), "% [", fixed(100 * m.at("eval/solved_low"), 1), ", ",
                  fixed(100 * m.at("eval/solved_high"), 1), "]");
  });
  add("eval/cell", "cells", [](double v) { return fixed(100 * v, 1) + "%"; });
  return text;
}

std::string describe_timing(const std::map<std::string, double>& timing) {
  std::string text;
  if (const auto found = timing.find("tokens_per_second"); found != timing.end())
    text += concat(" | ", human_count(found->second), " tok/s");
  text += " | " + human_duration(timing.at("seconds"));
  std::string separator = " (";
  for (const auto& [name, seconds] : timing) {
    if (!name.starts_with("seconds/") || seconds < 0.05 * timing.at("seconds")) continue;
    text += concat(separator, name.substr(8), " ", human_duration(seconds));
    separator = ", ";
  }
  return separator == ", " ? text + ")" : text;
}

/// The share of the machine's peak that the step's products reached, in the phases that make them.
std::string describe_share(const Speed& speed, const std::map<std::string, double>& timing) {
  double seconds = 0;
  for (const char* phase : {"seconds/act", "seconds/look_back", "seconds/learn"})
    if (const auto found = timing.find(phase); found != timing.end()) seconds += found->second;
  if (speed.peak <= 0 || seconds <= 0) return "";
  return concat(" | ", fixed(100 * speed.flops / seconds / speed.peak, 0), "% of peak");
}

}  // namespace

TerminalSize terminal_size() {
  winsize size{};
  const bool known = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  if (!known) return {};
  return {.height = size.ws_row > 0 ? size.ws_row : TerminalSize{}.height, .width = size.ws_col};
}

Console::Console(std::ostream& out, bool terminal) : line_(out, terminal), terminal_(terminal) {
  interrupts = 0;
  under_way = 0;
  std::signal(SIGINT, on_stop_signal);
  std::signal(SIGTERM, on_stop_signal);  // Slurm's and systemd's way of asking
}

void Console::on_start(const std::vector<std::pair<std::string, std::string>>& rows, int64_t done,
                       int64_t total) {
  eta_ = Eta(total, done);
  size_t widest = 0;
  for (const auto& [name, text] : rows) widest = std::max(widest, name.size());
  for (const auto& [name, text] : rows)
    line_.line("  " + name + std::string(widest - name.size() + 2, ' ') + text);
  if (done >= total)
    line_.line(concat("all ", total, " steps were done before"));
  else if (done > 0)
    line_.line(concat("going on after step ", done));
  if (measure_ && done < total) speed_ = measure_();
  under_way = 1;
}

void Console::on_step(const StepReport& report) {
  line_.set_width(terminal_size().width);
  if (report.step > 0) eta_.step(report.timing.at("seconds"));
  std::string text = concat(report.step, "/", report.total, describe(report.metrics),
                            describe_timing(report.timing));
  if (report.step > 0) text += describe_share(speed_, report.timing);
  const auto left = eta_.seconds_left();
  if (left && report.step < report.total) text += " | ETA " + human_duration(*left);
  if (report.metrics.contains("eval/solved"))
    line_.line(text);
  else if (wants_line(report))
    line_.show(text);
}

/// A terminal shows every step in one line. Elsewhere the lines stay: in long runs one in two
/// seconds is enough, beside the first and the last.
bool Console::wants_line(const StepReport& report) {
  constexpr int64_t kShortRun = 100;
  constexpr std::chrono::seconds kPause{2};
  const auto now = std::chrono::steady_clock::now();
  const bool wanted = terminal_ || report.total <= kShortRun || report.step <= 1 ||
                      report.step == report.total || now - last_line_ >= kPause;
  if (wanted) last_line_ = now;
  return wanted;
}

void Console::on_notice(const std::string& text) { line_.line("warning: " + text); }

bool Console::interrupted() { return interrupts > 0; }

}  // namespace gdsd
