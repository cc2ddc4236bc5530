#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "gdsd/bench/bench.h"

namespace gdsd {

namespace {

/// The names in a list with commas between them.
std::vector<std::string> split_names(const std::string& list) {
  std::vector<std::string> names;
  for (size_t begin = 0, end = 0; end != std::string::npos; begin = end + 1) {
    end = list.find(',', begin);
    names.push_back(list.substr(begin, end - begin));
  }
  return names;
}

/// A file that is written when all is done: that it can be has to be known before.
void check_writable(const std::string& file, const char* name) {
  namespace fs = std::filesystem;
  if (file.empty()) return;
  const fs::path folder = fs::path(file).has_parent_path() ? fs::path(file).parent_path() : ".";
  check_field(fs::is_directory(folder), name, "got '", file, "', but there is no folder ",
              folder.string(), ": make it first.");
  const auto there = fs::symlink_status(file);
  check_field(!fs::exists(there) || fs::is_regular_file(there), name, "got '", file,
              "', which is no regular file.");
  check_field(::access(folder.c_str(), W_OK) == 0, name, "got '", file,
              "', but nothing can be written in ", folder.string(), ": ", std::strerror(errno),
              ".");
}

}  // namespace

void BenchOptions::validate() const {
  constexpr int64_t kMost = 1'000'000;
  check_count(batch, "batch", 1, kMost);
  check_count(prompt, "prompt", 1, kMost);
  check_count(views, "views", 1, 1000);
  check_count(inner, "inner", 1, 1000);
  check_count(repeat, "repeat", 1, kMost);
  for (const std::string& name : split_names(phases))
    check_field(std::find(kBenchPhases.begin(), kBenchPhases.end(), name) != kBenchPhases.end(),
                "phases", "got '", name, "', expected some of rollout,old,ref,train.");
  check_field(dump.empty() || !std::filesystem::exists(dump), "dump", "'", dump,
              "' is there already: name another file, or remove it.");
  check_writable(dump, "dump");
  check_writable(json, "json");
  check_field(json.empty() || json != dump, "json", "got '", json, "', which is dump's file too.");
  check_field(masks.empty() || std::filesystem::exists(masks), "masks", "'", masks,
              "': no such file.");
}

BenchOptions BenchOptions::of(BenchShape shape) {
  BenchOptions o;
  o.shape = shape;
  auto work = [&](int64_t B, int64_t P, int64_t C, int64_t block, int64_t steps) {
    o.batch = B, o.prompt = P, o.sampler.gen_length = C;
    o.sampler.block_length = block, o.sampler.steps = steps;
  };
  if (shape == BenchShape::kT) work(96, 16, 24, 8, 12);
  if (shape == BenchShape::kS) work(6, 200, 256, 32, 64);
  if (shape == BenchShape::kM) work(4, 128, 128, 32, 32), o.lora.rank = 32;
  return o;
}

bool BenchOptions::has(std::string_view phase) const {
  const auto names = split_names(phases);
  return std::find(names.begin(), names.end(), phase) != names.end();
}

double PhaseTimes::median() const {
  std::vector<double> sorted = seconds;
  std::sort(sorted.begin(), sorted.end());
  const size_t n = sorted.size();
  return n % 2 == 1 ? sorted[n / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2;
}

}  // namespace gdsd
