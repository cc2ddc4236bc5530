// Where the time of one training step goes: runs `gdsd train` in this process with every tensor
// operation timed, and prints the shares.
//
//   step_profile CONFIG.yaml [key.path=value …]
//
// An operation's own time excludes those it calls. What no operation accounts for is overhead:
// puzzles, rewards, keys, logs, the autograd graph. Timing itself slows small operations a little.
// On one thread, so that seconds add up.
#include <ATen/record_function.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <map>

#include "gdsd/base/yaml.h"
#include "gdsd/train/train.h"

namespace {

using namespace gdsd;
using Clock = std::chrono::steady_clock;

/// Seconds spent in each operation itself.
std::map<std::string, double> own_seconds;
std::vector<std::pair<Clock::time_point, double>> open_calls;  // (begin, seconds of callees)

std::unique_ptr<at::ObserverContext> on_begin(const at::RecordFunction&) {
  open_calls.emplace_back(Clock::now(), 0.0);
  return nullptr;
}

void on_end(const at::RecordFunction& call, at::ObserverContext*) {
  const auto [begin, callees] = open_calls.back();
  open_calls.pop_back();
  const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
  own_seconds[call.name()] += seconds - callees;
  if (!open_calls.empty()) open_calls.back().second += seconds;
}

const char* kind_of(const std::string& name) {
  auto has = [&](const char* part) { return name.find(part) != std::string::npos; };
  if (has("::mm") || has("addmm") || has("::bmm") || has("::matmul")) return "matrix products";
  if (has("attention")) return "attention";
  if (has("adam") || has("foreach")) return "optimiser";
  return "elementwise, norms, indexing";
}

/// Adds up phases; nothing is printed while it runs.
struct PhaseSums : Observer {
  std::map<std::string, double> seconds;
  void on_start(const std::vector<std::pair<std::string, std::string>>&, int64_t,
                int64_t) override {}
  void on_notice(const std::string&) override {}
  void on_step(const StepReport& report) override {
    if (report.step == 0) own_seconds.clear();  // the first evaluation warms everything up
    if (report.step > 0)
      for (const auto& [name, s] : report.timing) seconds[name] += s;
  }
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return std::fprintf(stderr, "usage: step_profile CONFIG.yaml [key=value …]\n"), 2;
  auto config = load_options<TrainConfig>(argv[1], std::vector<std::string>(argv + 2, argv + argc));
  config.run_dir = std::filesystem::temp_directory_path() / "gdsd_step_profile";
  std::filesystem::remove_all(config.run_dir);
  config.compute.threads = 1;

  at::addGlobalCallback(
      at::RecordFunctionCallback(on_begin, on_end).scopes({at::RecordScope::FUNCTION}));
  PhaseSums sums;
  train(config, Existing::kResume, sums);

  const double all = sums.seconds.at("seconds");
  std::printf("%-32s %8s %6s\n", "phase", "seconds", "share");
  for (const auto& [name, s] : sums.seconds)
    if (name.starts_with("seconds/"))
      std::printf("%-32s %8.3f %5.1f%%\n", name.c_str() + 8, s, 100 * s / all);

  std::map<std::string, double> kinds;
  double kernels = 0;
  for (const auto& [name, s] : own_seconds) kinds[kind_of(name)] += s, kernels += s;
  std::printf("\n%-32s %8s %6s\n", "tensor operations, own time", "seconds", "share");
  for (const auto& [kind, s] : kinds)
    std::printf("%-32s %8.3f %5.1f%%\n", kind.c_str(), s, 100 * s / all);
  std::printf("%-32s %8.3f %5.1f%%\n", "outside tensor operations", all - kernels,
              100 * (all - kernels) / all);

  std::multimap<double, std::string, std::greater<>> sorted;
  for (const auto& [name, s] : own_seconds) sorted.emplace(s, name);
  std::printf("\nthe twelve most expensive operations\n");
  int shown = 0;
  for (const auto& [s, name] : sorted)
    if (shown++ < 12) std::printf("%-44s %8.3f %5.1f%%\n", name.c_str(), s, 100 * s / all);
}
