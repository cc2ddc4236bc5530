// Registers a test for every fixture of the folder and runs them.
#include <cstdlib>
#include <iostream>

#include "tests/golden_test/golden.h"

namespace gdsd::golden {
namespace {

/// Names of fixtures that nothing here reads, by suite and what they pin.
std::map<std::string, std::vector<std::string>>& skipped() {
  static std::map<std::string, std::vector<std::string>> all;
  return all;
}

/// Tests for everything in `root`; what nothing here reads is listed as skipped.
void add_everything(const path& root) {
  check(std::filesystem::is_directory(root), "no such folder.");
  std::vector<path> folders;
  for (const auto& entry : std::filesystem::directory_iterator(root)) folders.push_back(entry);
  std::sort(folders.begin(), folders.end());
  for (const path& folder : folders) {
    const std::string name = folder.filename().string();
    if (name == "objectives")
      add_all(folder, add_objectives);
    else if (name == "models")
      add_all(folder, add_models);
    else if (name == "samplers")
      add_all(folder, add_samplers);
    else if (name == "lora")
      add_all(folder, add_lora);
    else if (name == "tokenizers")
      add_all(folder, add_tokenizers);
    else if (name == "rewards")
      continue;  // golden_rewards reads them
    else if (std::filesystem::is_directory(folder))
      add_skip("Other", name + "/", "no reader of these");
  }
}

void print_skipped() {
  size_t count = 0;
  for (const auto& [what, names] : skipped()) count += names.size();
  if (count == 0) return;
  std::cout << "Not covered by this program: " << count << " fixtures.\n";
  for (const auto& [what, names] : skipped()) {
    std::cout << "  " << what << " (" << names.size() << "):";
    for (const std::string& name : names) std::cout << " " << name;
    std::cout << "\n";
  }
}

}  // namespace

void add_skip(const std::string& suite, const std::string& name, const std::string& what) {
  skipped()[suite + ", " + what].push_back(name);
}

}  // namespace gdsd::golden

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  const char* folder = std::getenv("GDSD_GOLDEN");
  const std::filesystem::path root = folder ? folder : GDSD_GOLDEN_FOLDER;
  std::cout << "Fixtures of " << root << "\n";
  gdsd::golden::add_all(root, gdsd::golden::add_everything);
  const int tests = testing::UnitTest::GetInstance()->total_test_count();
  if (tests == 0) {
    std::cerr << "No fixture of " << root
              << " is covered: expected objectives/, models/, samplers/ or lora/ in it.\n";
    return 1;
  }
  const int failed = RUN_ALL_TESTS();
  if (!testing::GTEST_FLAG(list_tests)) gdsd::golden::print_skipped();
  return failed;
}
