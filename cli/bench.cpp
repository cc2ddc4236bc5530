#include "cli/bench.h"

#include <unistd.h>

#include <algorithm>
#include <iomanip>
#include <iostream>
#include <nlohmann/json.hpp>

#include "cli/keys.h"
#include "gdsd/base/file.h"
#include "gdsd/base/progress.h"
#include "gdsd/base/yaml.h"
#include "gdsd/bench/bench.h"

namespace gdsd {

namespace {

constexpr double kMiB = 1024.0 * 1024.0;

/// The options, with defaults that depend on the shape they name.
BenchOptions read_options(const std::vector<std::string>& words) {
  std::string file;
  std::vector<std::string> overrides;
  for (const std::string& word : words) {
    if (word.find('=') != std::string::npos) {
      overrides.push_back(word);
    } else {
      check(file.empty(), "[bench] got two config files, '", file, "' and '", word, "'.");
      file = word;
    }
  }
  BenchOptions defaults;
  std::vector<Setting> settings;
  if (!file.empty()) settings = read_settings(file, overrides, list_fields(defaults));
  if (file.empty())
    for (const std::string& argument : overrides) settings.push_back(parse_override(argument));
  BenchShape shape = defaults.shape;
  for (const Setting& s : settings)
    if (s.path == "shape") from_text(s.text, shape);  // what it refuses is refused below
  return apply_settings<BenchOptions>(file, settings, BenchOptions::of(shape));
}

/// Figures of a phase under the names that bench/reference.py gives them, and the share of the peak.
nlohmann::ordered_json to_json(const PhaseTimes& p, double peak) {
  const auto [least, most] = std::minmax_element(p.seconds.begin(), p.seconds.end());
  const double median = p.median();
  return {{"calls", p.seconds.size()},
          {"min_s", *least},
          {"median_s", median},
          {"max_s", *most},
          {"forwards_per_s", p.forwards / median},
          {"tokens_per_s", p.tokens / median},
          {"peak_mib", std::round(static_cast<double>(p.peak_bytes) / kMiB * 10) / 10},
          {"gflop", p.flops / 1e9},
          {"gflop_per_s", p.flops / median / 1e9},
          {"peak_percent", 100 * p.flops / median / peak}};
}

nlohmann::ordered_json to_json(const BenchReport& report, const BenchOptions& options) {
  nlohmann::ordered_json settings, phases;
  for (const Field& field : list_fields(options)) settings[field.path] = field.text;
  double cycle = 0;
  for (const PhaseTimes& p : report.phases) {
    phases[p.phase] = to_json(p, report.peak);
    cycle += p.median() * (p.phase == "rollout" ? 1.0 : static_cast<double>(options.inner));
  }
  return {{"program", "gdsd bench"},
          {"settings", settings},
          {"model", report.model},
          {"device", report.device},
          {"dtype", report.dtype},
          {"trainable", report.trainable},
          {"weights_mib", static_cast<double>(report.weight_bytes) / kMiB},
          {"resident_mib", static_cast<double>(report.resident_before) / kMiB},
          {"gemm_gflop_per_s", report.peak / 1e9},
          {"phases", phases},
          {"cycle_s", cycle}};
}

void print_line(const std::vector<std::string>& cells) {
  for (size_t i = 0; i < cells.size(); ++i)
    std::cout << (i == 0 ? std::left : std::right) << std::setw(i == 0 ? 9 : 11) << cells[i];
  std::cout << "\n";
}

void print_report(const BenchReport& report) {
  std::cout << report.model << "; " << report.device << ", products in " << report.dtype << "\n"
            << "peak: " << fixed(report.peak / 1e9, 1)
            << " GFLOP/s, the fastest matrix product measured here\n\n";
  print_line({"phase", "median", "min", "max", "tokens/s", "GFLOP/s", "of peak", "memory"});
  for (const PhaseTimes& p : report.phases) {
    const auto [least, most] = std::minmax_element(p.seconds.begin(), p.seconds.end());
    const double median = p.median();
    print_line({p.phase, fixed(median, 3) + " s", fixed(*least, 3) + " s", fixed(*most, 3) + " s",
                human_count(p.tokens / median), fixed(p.flops / median / 1e9, 1),
                fixed(100 * p.flops / median / report.peak, 1) + " %",
                p.peak_bytes > 0 ? human_bytes(static_cast<double>(p.peak_bytes)) : "unknown"});
  }
}

}  // namespace

int run_bench(const BenchArguments& arguments) {
  const BenchOptions options = read_options(arguments.words);
  const bool terminal = isatty(STDERR_FILENO) != 0;
  StatusLine status(std::cerr, terminal);
  const BenchReport report = bench(options, [&](const std::string& phase) {
    if (terminal) status.show(phase + " …");
  });
  if (terminal) status.show("");
  status.finish();
  print_report(report);
  if (!options.json.empty()) write_file(options.json, to_json(report, options).dump(1) + "\n");
  return kExitDone;
}

std::string bench_keys() { return describe_keys<BenchOptions>(); }

}  // namespace gdsd
