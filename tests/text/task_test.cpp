#include "gdsd/data/task.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <set>
#include <thread>

#include "gdsd/base/file.h"
#include "gdsd/data/numpy_order.h"
#include "gdsd/text/chat.h"
#include "tests/error_of.h"

namespace gdsd {
namespace {

Key key(uint64_t i) { return Key{7}.fork("task_test", i); }

/// A file of its own in a temporary folder.
std::string file(const std::string& name, const std::string& text) {
  const std::filesystem::path folder =
      std::filesystem::path(testing::TempDir()) /
      testing::UnitTest::GetInstance()->current_test_info()->name();
  std::filesystem::create_directories(folder);
  write_file(folder / name, text);
  return folder / name;
}

std::string question(int i) {
  return R"({"question":"What is )" + std::to_string(i) + R"(?","answer":"s\n#### )" +
         std::to_string(i) + "\"}\n";
}

std::string questions(int from, int to) {
  std::string text;
  for (int i = from; i < to; ++i) text += question(i);
  return text;
}

Gsm8kOptions gsm8k(const std::string& train, const std::string& test = {}) {
  Gsm8kOptions o;
  o.files = {.train = train, .test = test};
  o.prompt = Gsm8kPrompt::kBare;
  return o;
}

TEST(Task, HeldOutProblemsOfGeneratorsAreThoseOfEveryRun) {
  for (const TaskOptions& task : std::vector<TaskOptions>{SudokuOptions{}, CountdownOptions{}}) {
    const auto problems = problems_of(task);
    EXPECT_FALSE(problems->held_out_size());
    for (uint64_t i = 0; i < 20; ++i)
      EXPECT_EQ(problems->held_out(i).prompt,
                problems->draw(Split::kHeldOut, Key{0}.fork("held_out").fork("problem", i)).prompt);
  }
}

TEST(Task, WordingDoesNotChangeTheProblems) {
  CountdownOptions worded;
  worded.prompt = CountdownPrompt::kEval;
  const auto bare = problems_of(CountdownOptions{}), told = problems_of(worded);
  for (uint64_t i = 0; i < 50; ++i) {
    const Example a = bare->draw(Split::kTrain, key(i)), b = told->draw(Split::kTrain, key(i));
    EXPECT_EQ(a.problem, b.problem);
    EXPECT_EQ(a.answer, b.answer);
    EXPECT_EQ(bare->held_out(i).problem, told->held_out(i).problem);
    const CountdownPuzzle puzzle = parse_countdown(a.problem);
    EXPECT_EQ(b.prompt, render(countdown_wording(worded.prompt, puzzle.numbers, puzzle.target),
                               ChatTemplate::kNone));
    EXPECT_TRUE(b.prompt.ends_with("</answer>\n\n<reasoning>"));
    EXPECT_EQ(b.prompt.find_first_not_of(told->alphabet()), std::string::npos);
  }
}

TEST(Task, WordedPromptsStandInTheTemplate) {
  Gsm8kOptions o = gsm8k(file("a.jsonl", question(5)));
  o.files.test = o.files.train;
  o.files.train = "";
  o.prompt = Gsm8kPrompt::kMathEval;
  const Wording wording = gsm8k_wording(o.prompt, "What is 5?");
  for (ChatTemplate chat : {ChatTemplate::kLlada, ChatTemplate::kDream})
    EXPECT_EQ(problems_of(o, chat)->held_out(0).prompt,
              render_chat(chat, wording.messages) + "<reasoning>");
  o.prompt = Gsm8kPrompt::kBare;
  EXPECT_EQ(problems_of(o, ChatTemplate::kLlada)->held_out(0).prompt, "What is 5?");
  const Wording two{.messages = {{"system", "A"}, {"user", "B"}}, .suffix = "C"};
  EXPECT_EQ(render(two, ChatTemplate::kNone), "A\n\nB\n\nC");
}

TEST(Task, EveryTaskIsWorded) {
  const auto prompt = [](TaskOptions task, const std::string& line) {
    std::visit([&](auto& o) { o.files.test = file(std::string(o.kName), line); }, task);
    return problems_of(task)->held_out(0).prompt;
  };
  MathOptions math;
  math.prompt = MathPrompt::kD1;
  EXPECT_TRUE(prompt(math, R"({"problem":"P","solution":"\\boxed{1}"})").ends_with("{}. \n\nP"));
  EXPECT_TRUE(prompt(CodeOptions{}, R"({"question":"Q","tests":["T","U"]})")
                  .ends_with("response.\n\nQ\nTest cases: T"));
  CodeOptions xml;
  xml.prompt = CodePrompt::kXml;
  EXPECT_TRUE(prompt(xml, R"({"question":"Q","tests":["T"]})").ends_with("step by step. \n\nQ"));
  CustomOptions custom;
  custom.system = "S";
  EXPECT_EQ(prompt(custom, R"({"prompt":"P","answer":"A"})"), "S\n\nP");
  SudokuOptions sudoku;
  sudoku.prompt = SudokuPrompt::kD1;
  EXPECT_TRUE(prompt(sudoku, R"({"puzzle":"0034341221434321","solution":"1234341221434321"})")
                  .ends_with("\n\nSolve the following Sudoku puzzle: 0034341221434321\n"));
}

TEST(Task, LargeSudokuIsAskedForInItsOwnNumbers) {
  const std::string puzzle(81, '0');
  for (auto prompt : {SudokuPrompt::kGdsd, SudokuPrompt::kD1, SudokuPrompt::kMathEval}) {
    const std::string text = sudoku_wording(prompt, puzzle).messages.at(0).content;
    for (const char* small : {"4x4", "16", "1-4", "2x2"})
      EXPECT_EQ(text.find(small), std::string::npos) << small;
    for (const char* large : {"9x9 Sudoku", "a 81-character", "digits 1-9 exactly", "3x3 box"})
      EXPECT_NE(text.find(large), std::string::npos) << large;
  }
  EXPECT_NE(error_of([&] { sudoku_wording(SudokuPrompt::kEspo, puzzle); }), "no error");
  EXPECT_NE(error_of([&] { sudoku_wording(SudokuPrompt::kGdsd, "0123"); }), "no error");
  EXPECT_NE(error_of([&] { sudoku_wording(SudokuPrompt::kBare, puzzle); }), "no error");
}

TEST(Task, ATestFileIsAskedInItsOrderAndTrainingIsUniform) {
  const auto problems = problems_of(
      gsm8k(file("train.jsonl", questions(0, 10)), file("test.jsonl", questions(10, 15))));
  EXPECT_EQ(problems->held_out_size(), 5);
  for (int i = 0; i < 5; ++i) {
    const Example e = problems->held_out(i);
    EXPECT_EQ(e.answer, std::to_string(10 + i));
    EXPECT_TRUE(e.source.ends_with("/test.jsonl:" + std::to_string(i + 1))) << e.source;
  }
  EXPECT_NE(error_of([&] { problems->held_out(5); }), "no error");
  EXPECT_NE(error_of([&] { problems->held_out(-1); }), "no error");
  std::map<std::string, int> seen;
  for (uint64_t i = 0; i < 10000; ++i) {
    const Example e = problems->draw(Split::kTrain, key(i));
    ++seen[e.prompt];
    EXPECT_EQ(e.prompt, problems->draw(Split::kTrain, key(i)).prompt);
    EXPECT_GE(std::stoi(problems->draw(Split::kHeldOut, key(i)).answer), 10);
  }
  EXPECT_EQ(seen.size(), 10u);
  for (const auto& [prompt, count] : seen) EXPECT_NEAR(count, 1000, 150) << prompt;
}

TEST(Task, NothingIsTrainedOnThatIsHeldOut) {
  const std::string what = error_of([] {
    problems_of(gsm8k(file("train.jsonl", questions(0, 10)), file("test.jsonl", questions(9, 12))));
  });
  EXPECT_NE(what.find("/train.jsonl:10 "), std::string::npos) << what;
  EXPECT_NE(what.find("/test.jsonl:1."), std::string::npos) << what;
  CountdownOptions countdown;  // in any order of the numbers
  countdown.files = {.train = file("a.jsonl", R"({"nums":[3,7,12],"target":16})"),
                     .test = file("b.jsonl", R"({"nums":[12,3,7],"target":16})")};
  EXPECT_NE(error_of([&] { problems_of(countdown); }), "no error");
}

TEST(Task, ATenthOfATrainingFileIsHeldOutByItsText) {
  const auto problems = problems_of(gsm8k(file("train.jsonl", questions(0, 1000))));
  const int64_t n = problems->held_out_size().value();
  EXPECT_NEAR(n, 100, 48);  // 5 standard deviations
  std::set<std::string> held_out;
  for (int64_t i = 0; i < n; ++i) held_out.insert(problems->held_out(i).problem);
  for (uint64_t i = 0; i < 5000; ++i) {
    EXPECT_FALSE(held_out.contains(problems->draw(Split::kTrain, key(i)).problem));
    EXPECT_TRUE(held_out.contains(problems->draw(Split::kHeldOut, key(i)).problem));
  }
  const auto more = problems_of(gsm8k(file("more.jsonl", questions(500, 2000))));
  for (int64_t i = 0; i < more->held_out_size(); ++i)
    EXPECT_TRUE(std::stoi(more->held_out(i).answer) >= 1000 ||
                held_out.contains(more->held_out(i).problem));
  const auto one = problems_of(gsm8k(file("one.jsonl", question(0) + question(0))));
  EXPECT_EQ(one->held_out_size(), 0) << "of one text all lines are on one side";
  EXPECT_NE(error_of([&] { one->draw(Split::kHeldOut, key(0)); }).find("`test` file"),
            std::string::npos);
}

TEST(Task, SudokuFilesAreSplitBySolution) {
  SudokuOptions o;
  std::string text;
  for (uint64_t i = 0; i < 2000; ++i) {
    const Example e = problems_of(SudokuOptions{})->draw(Split::kTrain, key(i));
    text += R"({"puzzle":")" + e.problem + R"(","solution":")" + e.answer + "\"}\n";
    if (i == 50) i = 1949;  // about 100 puzzles of about 80 solutions
  }
  o.files.train = file("train.jsonl", text);
  const auto problems = problems_of(o);
  std::set<std::string> held_out;
  for (int64_t i = 0; i < problems->held_out_size(); ++i)
    held_out.insert(problems->held_out(i).answer);
  EXPECT_FALSE(held_out.empty());
  for (uint64_t i = 0; i < 2000; ++i)
    EXPECT_FALSE(held_out.contains(problems->draw(Split::kTrain, key(i)).answer));
}

TEST(Task, GeneratedTrainingLeavesOutTheTestFile) {
  const auto plain = problems_of(CountdownOptions{});
  std::set<std::string> test;
  std::string text;
  for (uint64_t i = 0; i < 300; ++i) {
    const std::string problem = plain->draw(Split::kTrain, key(i)).problem;
    const CountdownPuzzle puzzle = parse_countdown(problem);
    test.insert(countdown_pair(puzzle));
    text += concat(R"({"nums":[)", puzzle.numbers[0], ",", puzzle.numbers[1], ",",
                   puzzle.numbers[2], R"(],"target":)", puzzle.target, "}\n");
  }
  CountdownOptions o;
  o.files.test = file("test.jsonl", text);
  const auto problems = problems_of(o);
  int same = 0;
  for (uint64_t i = 0; i < 1000; ++i) {  // of which 300 are those of the file
    const Example e = problems->draw(Split::kTrain, key(i));
    EXPECT_FALSE(test.contains(countdown_pair(parse_countdown(e.problem))));
    same += e.problem == plain->draw(Split::kTrain, key(i)).problem;
  }
  EXPECT_NEAR(same, 530, 70) << "others are drawn as without the file";
  EXPECT_EQ(problems->held_out_size(), 300);
}

TEST(Task, TheReleasedOrderIsNumPys) {
  Gsm8kOptions o = gsm8k("", file("test.jsonl", questions(0, 500)));
  o.files.order = HeldOutOrder::kReleased;
  const auto problems = problems_of(o);
  const auto order = numpy_choice(42, 500, 256);
  ASSERT_EQ(problems->held_out_size(), 256);
  for (int64_t i = 0; i < 256; ++i)
    EXPECT_EQ(problems->held_out(i).answer, std::to_string(order[i]));
  o.files.test = file("test.jsonl", questions(0, 255));
  EXPECT_NE(error_of([&] { problems_of(o); }).find("asks 256 problems"), std::string::npos);
}

TEST(Task, DemonstrationsAreTheRecordsSolutions) {
  const auto problems = problems_of(gsm8k("", file("test.jsonl", question(5))));
  EXPECT_EQ(problems->demonstration(problems->held_out(0), key(1)), "s\n#### 5");
  CustomOptions custom;
  custom.files.test = file("custom.jsonl", R"({"prompt":"P","answer":"A"})");
  const auto without = problems_of(custom);
  EXPECT_NE(
      error_of([&] { without->demonstration(without->held_out(0), key(1)); }).find("no `solution`"),
      std::string::npos);
  CountdownOptions countdown;
  countdown.files.test = file("countdown.jsonl", R"({"nums":[3,7,12],"target":16})");
  const auto bare = problems_of(countdown);
  const Example e = bare->held_out(0);
  EXPECT_EQ(e.prompt, "3,7,12=16");
  EXPECT_NE(error_of([&] { bare->demonstration(e, key(1)); }).find("no `solution`"),
            std::string::npos);
}

TEST(Task, TheAlphabetIsThatOfPromptsAndSolutions) {
  const auto problems =
      problems_of(gsm8k(file("train.jsonl", R"({"question":"aé","answer":"bb\n#### 1"})"
                                            "\n"
                                            R"({"question":"ca","answer":"√#### 2"})")));
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] { EXPECT_EQ(problems->alphabet(), "\n #12abcé√"); });
  for (std::thread& thread : threads) thread.join();
}

TEST(Task, OptionsThatNameNoFileAreErrors) {
  for (const TaskOptions& task :
       std::vector<TaskOptions>{Gsm8kOptions{}, MathOptions{}, CodeOptions{}, CustomOptions{}})
    EXPECT_THROW(problems_of(task), FieldError);
  Gsm8kOptions o = gsm8k("train.jsonl");
  o.files.order = HeldOutOrder::kReleased;
  EXPECT_THROW(problems_of(o), FieldError);
  EXPECT_NE(error_of([] { problems_of(gsm8k("no/such.jsonl")); }).find("no/such.jsonl"),
            std::string::npos);
  EXPECT_NE(error_of([] { problems_of(gsm8k(file("empty.jsonl", ""))); }).find("no records"),
            std::string::npos);
  const auto test_only = problems_of(gsm8k("", file("test.jsonl", question(1))));
  EXPECT_NE(error_of([&] { test_only->draw(Split::kTrain, key(0)); }).find("`train` names no file"),
            std::string::npos);
}

TEST(Task, RealSplitsOfGsm8kDoNotMeet) {
  const std::string folder = GDSD_DATA_FOLDER "/data/gsm8k";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << folder << " is not there";
  const auto problems = problems_of(gsm8k(folder + "/train.jsonl", folder + "/test.jsonl"));
  EXPECT_EQ(problems->held_out_size(), 1319);
  EXPECT_EQ(problems->held_out(0).answer, "18");
}

}  // namespace
}  // namespace gdsd
