#include "gdsd/base/run_log.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "gdsd/base/check.h"

namespace gdsd {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

fs::path made(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  check(!error, "[RunLog] ", folder.string(), ": ", error.message(), ".");
  return folder;
}

/// The length of the file without a last line that a kill left incomplete.
uint64_t whole_lines(const fs::path& path) {
  std::error_code unreadable;  // which opening it to append will say
  return fs::exists(path, unreadable) ? read_file(path).rfind('\n') + 1 : 0;  // npos + 1 is 0
}

std::string number(double value) {
  if (!std::isfinite(value)) return "null";
  std::array<char, 32> out;
  return {out.data(), std::to_chars(out.data(), out.data() + out.size(), value).ptr};
}

std::string json_line(int64_t step, const std::map<std::string, double>& metrics) {
  std::string line = "{\"step\": " + std::to_string(step);
  for (const auto& [name, value] : metrics) {
    check(name != "step", "[RunLog] a metric is called 'step', which is the name of its step.");
    line += ", " + json(name).dump() + ": " + number(value);
  }
  return line + "}\n";
}

/// The metrics of one line, or nullopt if it is not a flat object of numbers with a step.
std::optional<std::map<std::string, double>> parse_line(std::string_view line) {
  const json object = json::parse(line, /*cb=*/nullptr, /*allow_exceptions=*/false);
  if (!object.contains("step")) return std::nullopt;
  std::map<std::string, double> metrics;
  for (const auto& [name, value] : object.items()) {
    if (!value.is_number() && !value.is_null()) return std::nullopt;
    metrics[name] =
        value.is_null() ? std::numeric_limits<double>::quiet_NaN() : value.get<double>();
  }
  return metrics;
}

}  // namespace

RunLog::RunLog(const fs::path& folder, int64_t first_step, std::optional<uint64_t> keep_bytes)
    : folder_(made(folder)),
      metrics_(folder_ / "metrics.jsonl",
               keep_bytes ? *keep_bytes : whole_lines(folder_ / "metrics.jsonl")),
      timing_(folder_ / "timing.jsonl", whole_lines(folder_ / "timing.jsonl")),
      events_(folder_, first_step) {}

void RunLog::write(int64_t step, const std::map<std::string, double>& metrics) {
  metrics_.append(json_line(step, metrics));
  for (const auto& [name, value] : metrics) events_.scalar(name, value, step);
}

void RunLog::write_timing(int64_t step, const std::map<std::string, double>& metrics) {
  timing_.append(json_line(step, metrics));
  for (const auto& [name, value] : metrics) events_.scalar("timing/" + name, value, step);
}

void RunLog::sync() {
  metrics_.sync();
  timing_.sync();
  events_.sync();
  sync_folder(folder_);
}

std::vector<std::map<std::string, double>> read_metrics(const fs::path& jsonl) {
  const std::string text = read_file(jsonl);
  std::vector<std::map<std::string, double>> all;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    auto metrics = parse_line(std::string_view(text).substr(at, end - at));
    check(metrics.has_value(), "[read_metrics] ", jsonl.string(), ":", all.size() + 1,
          ": expected a line like {\"step\": 1, \"loss\": 0.5}.");
    all.push_back(std::move(*metrics));
    at = end + 1;
  }
  return all;
}

}  // namespace gdsd
