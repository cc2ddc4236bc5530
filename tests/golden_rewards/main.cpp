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

void check_lines(const path& file, Check check_line) {
  const std::string text = read_file(file);
  size_t number = 1;
  for (size_t at = 0; at < text.size(); ++number) {
    const size_t end = std::min(text.find('\n', at), text.size());
    SCOPED_TRACE(concat(file.filename().string(), ":", number));
    check_line(json::parse(text.substr(at, end - at)));
    at = end + 1;
  }
}

void add_files(const path& folder) {
  check(std::filesystem::is_directory(folder), "no such folder.");
  const auto checks = all_checks();
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const path file = entry.path();
    const auto found = checks.find(file.stem().string());
    if (file.filename() == "prompts.json")
      add_all(file, add_prompts);
    else if (found == checks.end())
      std::cout << "Not covered by this program: " << file << "\n";
    else
      add_test("Rewards", found->first, [file, run = found->second] { check_lines(file, run); });
  }
}

}  // namespace
}  // namespace gdsd::golden

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  const char* folder = std::getenv("GDSD_GOLDEN");
  const std::filesystem::path root = folder ? folder : GDSD_GOLDEN_FOLDER;
  std::cout << "Fixtures of " << root / "rewards"
            << "\n";
  if (folder && !std::filesystem::exists(root / "rewards")) return 0;  // others are in it
  gdsd::golden::add_all(root / "rewards", gdsd::golden::add_files);
  return RUN_ALL_TESTS();
}
