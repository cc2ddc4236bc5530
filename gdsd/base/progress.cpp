#include "gdsd/base/progress.h"

#include <array>
#include <charconv>
#include <cmath>
#include <numeric>

#include "gdsd/base/check.h"

namespace gdsd {
namespace {

constexpr size_t kPaceSteps = 20;
constexpr std::string_view kClear = "\r\x1b[K";  // to the start of the line, and empty it

}  // namespace

void StatusLine::show(const std::string& text) {
  if (!terminal_) {
    out_ << text << std::endl;
    return;
  }
  status_ = text;
  draw();
}

void StatusLine::line(const std::string& text) {
  if (!status_.empty()) out_ << kClear;
  out_ << text << std::endl;
  if (!status_.empty()) draw();
}

void StatusLine::finish() {
  if (!status_.empty()) out_ << std::endl;
  status_.clear();
}

void StatusLine::draw() {
  // The last column stays free: a terminal that is at its edge clears or wraps as it likes.
  out_ << kClear << cut_to_width(status_, width_ > 0 ? width_ - 1 : 0) << std::flush;
}

void Eta::step(double seconds) {
  ++done_;
  last_.push_back(seconds);
  if (last_.size() > kPaceSteps) last_.pop_front();
}

std::optional<double> Eta::seconds_per_step() const {
  if (last_.empty()) return std::nullopt;
  return std::reduce(last_.begin(), last_.end()) / static_cast<double>(last_.size());
}

std::optional<double> Eta::seconds_left() const {
  if (last_.empty()) return std::nullopt;
  return *seconds_per_step() * static_cast<double>(total_ - done_);
}

std::string fixed(double value, int digits) {
  std::array<char, 512> out;  // the largest double has 309 digits
  const auto format = std::chars_format::fixed;
  return {out.data(),
          std::to_chars(out.data(), out.data() + out.size(), value, format, digits).ptr};
}

std::string human_duration(double seconds) {
  if (seconds < 0.0995) return fixed(1000 * seconds, 0) + " ms";
  if (seconds < 9.95) return fixed(seconds, 1) + " s";
  const int64_t s = std::llround(seconds), m = (s + 30) / 60, h = (m + 30) / 60;
  if (s < 60) return concat(s, " s");
  if (s < 3600) return concat(s / 60, " m ", s % 60, " s");
  if (m < 24 * 60) return concat(m / 60, " h ", m % 60, " m");
  return concat(h / 24, " d ", h % 24, " h");
}

std::string human_count(double count) {
  if (count == std::floor(count) && std::abs(count) < 1000) return fixed(count, 0);
  constexpr std::array kUnits{"", "k", "M", "B", "T"};
  size_t unit = 0;
  for (; std::abs(count) >= 999.5 && unit + 1 < kUnits.size(); ++unit) count /= 1000;
  const int digits = std::abs(count) < 9.995 ? 2 : std::abs(count) < 99.95 ? 1 : 0;
  return fixed(count, digits) + kUnits[unit];
}

std::string human_bytes(double bytes) {
  constexpr std::array kUnits{" B", " KiB", " MiB", " GiB", " TiB"};
  if (bytes < 1024) return fixed(bytes, 0) + kUnits[0];
  size_t unit = 0;
  for (; bytes >= 1023.95 && unit + 1 < kUnits.size(); ++unit) bytes /= 1024;
  return fixed(bytes, 1) + kUnits[unit];
}

std::string cut_to_width(const std::string& text, size_t columns) {
  const auto starts_character = [](char c) { return (static_cast<unsigned char>(c) >> 6) != 2; };
  size_t seen = 0, keep = 0;  // keep: where the last column starts
  for (size_t i = 0; i < text.size(); ++i) {
    if (!starts_character(text[i])) continue;
    if (++seen == columns) keep = i;
    if (seen > columns) return columns == 0 ? "" : text.substr(0, keep) + "…";
  }
  return text;
}

}  // namespace gdsd
