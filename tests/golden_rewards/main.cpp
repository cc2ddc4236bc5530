// rewards/: what the methods' own reward functions and parsers return. A test for every file of
// JSON lines, which reports each line that differs, and one for the prompts.
#include <cstdlib>
#include <iostream>

#include "gdsd/base/check.h"
#include "tests/golden_rewards/rewards.h"
#include "tests/golden_test/registry.h"

namespace gdsd::golden {
namespace {

std::map<std::string, Check> all_checks() {
  std::map<std::string, Check> all;
  for (auto&& checks : {planning_checks(), gsm8k_checks(), math_checks(), code_checks()})
    all.insert(checks.begin(), checks.end());
  return all;
}

/// Calls use(line, number) for each.
template <typename Use>
void for_each_line(const path& file, Use&& use) {
  const std::string text = read_file(file);
  size_t number = 1;
  for (size_t at = 0; at < text.size(); ++number) {
    const size_t end = std::min(text.find('\n', at), text.size());
    SCOPED_TRACE(concat(file.filename().string(), ":", number));
    use(json::parse(text.substr(at, end - at)), number);
    at = end + 1;
  }
}

void check_lines(const path& file, Check check_line) {
  for_each_line(file, [&](const json& line, size_t) { check_line(line); });
}

void check_rate(const path& file, Agrees agrees) {
  constexpr double kLeast = 0.98;
  size_t lines = 0;
  std::vector<size_t> others;
  for_each_line(file, [&](const json& line, size_t number) {
    ++lines;
    if (!agrees(line)) others.push_back(number);
  });
  std::cout << file.filename().string() << ": agrees on " << lines - others.size() << " of "
            << lines << " lines, not on";
  for (size_t number : others) std::cout << " " << number;
  std::cout << "\n";
  EXPECT_GE(static_cast<double>(lines - others.size()), kLeast * static_cast<double>(lines));
}

void add_files(const path& folder) {
  check(std::filesystem::is_directory(folder), "no such folder.");
  const auto checks = all_checks();
  const auto rates = math_rates();
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const path file = entry.path();
    const auto found = checks.find(file.stem().string());
    const auto rate = rates.find(file.stem().string());
    if (file.filename() == "prompts.json")
      add_all(file, add_prompts);
    else if (found == checks.end() && rate == rates.end())
      std::cout << "Not covered by this program: " << file << "\n";
    if (rate != rates.end())
      add_test("Rates", rate->first, [file, run = rate->second] { check_rate(file, run); });
    if (found != checks.end())
      add_test("Rewards", found->first, [file, run = found->second] { check_lines(file, run); });
  }
}

}  // namespace

/// Of our own fixtures none may be missing.
void add_missing(const path& folder) {
  std::vector<std::string> names{"prompts.json"};
  for (const auto& [name, check_line] : all_checks()) names.push_back(name + ".jsonl");
  for (const auto& [name, agrees] : math_rates()) names.push_back(name + ".jsonl");
  for (const std::string& name : names)
    if (!std::filesystem::exists(folder / name))
      add_test("Fixtures", name, [file = folder / name] { FAIL() << file << " is missing"; });
}

}  // namespace gdsd::golden

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  const char* folder = std::getenv("GDSD_GOLDEN");
  const std::filesystem::path root = folder ? folder : GDSD_GOLDEN_FOLDER;
  std::cout << "Fixtures of " << root / "rewards"
            << "\n";
  if (folder && std::filesystem::exists(root) && !std::filesystem::exists(root / "rewards")) {
    std::cout << "There are none: golden_tests reads the others.\n";
    return 0;
  }
  gdsd::golden::add_all(root / "rewards", gdsd::golden::add_files);
  if (!folder) gdsd::golden::add_missing(root / "rewards");
  return RUN_ALL_TESTS();
}
