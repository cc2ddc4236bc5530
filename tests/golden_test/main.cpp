// Registers a test for every fixture of the folder and runs them.
#include <cstdlib>
#include <iostream>

#include "tests/golden_test/golden.h"

namespace gdsd::golden {
namespace {

/// Tests for everything in `root`; what nothing here reads is reported as skipped.
void add_everything(const path& root) {
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
    else if (std::filesystem::is_directory(folder)) {
      for (const auto& entry : std::filesystem::directory_iterator(folder))
        add_skip("Other", name + "/" + entry.path().filename().string(),
                 "fixtures in " + name + "/");
    }
  }
}

}  // namespace
}  // namespace gdsd::golden

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  const char* folder = std::getenv("GDSD_GOLDEN");
  const std::filesystem::path root = folder ? folder : GDSD_GOLDEN_FOLDER;
  std::cout << "Fixtures of " << root << "\n";
  gdsd::golden::add_all(root, gdsd::golden::add_everything);
  const int failed = RUN_ALL_TESTS();
  if (testing::GTEST_FLAG(list_tests)) return failed;
  const int passed = testing::UnitTest::GetInstance()->successful_test_count();
  if (passed == 0) std::cerr << "No fixture of " << root << " is covered.\n";
  return failed != 0 || passed == 0;
}
