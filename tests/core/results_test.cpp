#include "gdsd/eval/results.h"

#include <gtest/gtest.h>

#include "gdsd/base/file.h"
#include "tests/error_of.h"

namespace gdsd {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

const Json kManifest{{"config", {{"task.name", "sudoku"}}}, {"samples", 2}};

fs::path fresh(const std::string& name) {
  const fs::path folder = fs::path(testing::TempDir()) / concat("gdsd_results_", name);
  fs::remove_all(folder);
  return folder;
}

Answer answer_of(int64_t problem, int64_t sample, bool solved) {
  Answer a{.problem = problem,
           .sample = sample,
           .example = {},
           .completion = "1\xff",
           .generation = "1",
           .result = {}};
  a.result.verdict.solved = solved;
  a.result.verdict.right = solved;
  a.result.verdict.asked = 1;
  a.result.reward = solved ? 1.0 : 0.25;
  a.result.parts["sudoku"] = a.result.reward;
  a.result.tokens = 3;
  return a;
}

TEST(ResultFolder, GoesOnWhereItStopped) {
  const fs::path folder = fresh("resume");
  const std::vector<Answer> first{answer_of(0, 0, true), answer_of(0, 1, false)},
      second{answer_of(1, 0, false), answer_of(1, 1, false)};
  ResultFolder(folder, kManifest).add(first);
  const std::string whole = read_file(folder / "items.jsonl");
  // A kill in the middle of the second problem: one of its lines is whole, one is not.
  ResultFolder(folder, kManifest).add(second);
  const std::string both = read_file(folder / "items.jsonl");
  const size_t third = both.find('\n', whole.size()) + 1;
  write_file(folder / "items.jsonl", both.substr(0, third + 5));
  {
    ResultFolder again(folder, kManifest);
    ASSERT_EQ(again.done().size(), 2u);
    EXPECT_TRUE(again.done()[0].verdict.solved);
    EXPECT_FALSE(again.done()[1].verdict.solved);
    EXPECT_EQ(again.done()[1].parts.at("sudoku"), 0.25);
    again.add(second);
  }
  EXPECT_EQ(read_file(folder / "items.jsonl"), both);
}

TEST(ResultFolder, RefusesWhatIsNotTheSame) {
  const fs::path folder = fresh("other");
  ResultFolder(folder, kManifest).add({});
  Json other = kManifest;
  other["config"]["task.name"] = "countdown";
  const std::string error = error_of([&] { ResultFolder(folder, other); });
  EXPECT_NE(error.find("task.name"), std::string::npos) << error;
  EXPECT_NE(error.find("countdown"), std::string::npos) << error;

  const fs::path full = fresh("full");
  fs::create_directories(full);
  write_file(full / "thesis.tex", "");
  EXPECT_NE(error_of([&] { ResultFolder(full, kManifest); }).find("not empty"), std::string::npos);
}

TEST(ResultFolder, RefusesLinesThatAreNotNext) {
  const fs::path folder = fresh("order");
  ResultFolder(folder, kManifest).add(std::vector{answer_of(1, 0, true)});
  EXPECT_NE(error_of([&] { ResultFolder(folder, kManifest); }).find("items.jsonl:1"),
            std::string::npos);
}

TEST(ResultFolder, SaysWhatIsNotFinished) {
  const fs::path folder = fresh("unfinished");
  ResultFolder results(folder, kManifest);
  EXPECT_NE(error_of([&] { read_result(folder); }).find("not finished"), std::string::npos);
  results.finish({.problems = 1,
                  .samples = 2,
                  .results = {answer_of(0, 0, true).result, answer_of(0, 1, false).result}},
                 {{"seconds", 2}});
  const Json result = read_result(folder);
  EXPECT_EQ(result.at("metrics").at("eval/solved"), 0.5);
  EXPECT_EQ(result.at("metrics").at("eval/pass@2"), 1.0);
  EXPECT_EQ(result.at("seconds"), 2);
}

}  // namespace
}  // namespace gdsd
