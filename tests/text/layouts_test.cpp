#include "gdsd/data/layouts.h"

#include <gtest/gtest.h>

#include "gdsd/base/file.h"
#include "gdsd/data/prepare.h"
#include "gdsd/text/answer.h"
#include "tests/error_of.h"

namespace gdsd {
namespace {

namespace fs = std::filesystem;

OrderedJson line(const TaskOptions& task, const std::string& text, const char* file = "a/b.jsonl") {
  return canonical(task, parse_records(text, file).at(0), file);
}

std::string error(const TaskOptions& task, const std::string& text,
                  const char* file = "a/b.jsonl") {
  return error_of([&] { line(task, text, file); });
}

void expect_error(const TaskOptions& task, const std::string& text, const std::string& what) {
  const std::string got = error(task, text);
  EXPECT_TRUE(got.starts_with("a/b.jsonl:1: ") && got.find(what) != std::string::npos)
      << text << "\n"
      << got;
}

TEST(Layouts, CanonicalRecordsStayAsTheyAre) {
  for (
      const auto& [task, text] : std::vector<std::pair<TaskOptions, std::string>>{
          {SudokuOptions{}, R"({"puzzle":"0034341221434321","solution":"1234341221434321",)"},
          {CountdownOptions{}, R"({"numbers":[3,7,12],"target":16,"solution":"12+7-3",)"},
          {Gsm8kOptions{}, R"({"question":"q","answer":"1,234","solution":"s\n#### 1,234",)"},
          {MathOptions{}, R"({"problem":"p","answer":"2","solution":"\\boxed{2}","level":5,)"},
          {CodeOptions{},
           R"({"question":"q","tests":["assert f"],"entry_point":"f","context":"","solution":"s",)"},
          {CustomOptions{}, R"({"prompt":"p","answer":[1],"tests":["t"],)"}}) {
    const std::string whole = text + R"("source":"x/y.jsonl:3"})";
    EXPECT_EQ(line(task, whole).dump(), whole);
    const Example e = example_of(task, line(task, whole));
    EXPECT_EQ(e.record, whole);
    EXPECT_EQ(e.source, "x/y.jsonl:3");
    EXPECT_EQ(line(task, text + R"("source":"aops"})").at("source"), "a/b.jsonl:1");
    expect_error(task, "{}", "has the keys of nothing; a ");
    expect_error(task, R"({"x":1,"y":2})", "has the keys x, y; a ");
  }
}

TEST(Layouts, Gsm8kGoldStandsAfterTheMark) {
  const auto answer = [](const std::string& text) {
    return line(Gsm8kOptions{}, R"({"question":"q","answer":")" + text + "\"}")["answer"];
  };
  EXPECT_EQ(answer("a\\n#### 1,234 "), "1,234");
  EXPECT_EQ(answer("#### -5\\n#### 6"), "-5");
  EXPECT_EQ(answer("####\\u00a0$3.50"), "$3.50");
  expect_error(Gsm8kOptions{}, R"({"question":"q","answer":"72"})", "no \"####\"");
  expect_error(Gsm8kOptions{}, R"({"question":"q","answer":"x #### "})", "no number stands after");
  expect_error(Gsm8kOptions{}, R"({"question":" ","answer":"#### 1"})", "`question` is empty");
  expect_error(Gsm8kOptions{}, R"({"question":3,"answer":"#### 1"})", "`question` is number");
}

TEST(Layouts, MathAnswersAreThoseOfTheLastBox) {
  EXPECT_EQ(solution_box("\\boxed{1} and \\boxed{\\frac{1}{2}}."), "\\frac{1}{2}");
  EXPECT_EQ(solution_box("\\boxed{1} and \\fbox{x}."), "x");
  EXPECT_EQ(solution_box("\\fbox{x} and \\boxed{2}."), "2");
  EXPECT_EQ(solution_box("so $\\boxed 7$."), "7");
  EXPECT_EQ(solution_box("\\boxed{}"), "");
  for (const char* none : {"", "none", "\\boxed", "\\boxed{1", "\\boxed}1{", "\\boxed1"})
    EXPECT_FALSE(solution_box(none)) << none;
  const auto made = line(MathOptions{}, R"({"problem":"p","solution":"\\boxed{3}","level":"5"})");
  EXPECT_EQ(made.dump(), R"({"problem":"p","answer":"3","solution":"\\boxed{3}","level":"5",)"
                         R"("source":"a/b.jsonl:1"})");
  EXPECT_EQ(
      line(MathOptions{}, R"({"problem":"p","solution":"\\boxed{3}","answer":"4"})")["answer"],
      "4");
  expect_error(MathOptions{}, R"({"problem":"p","solution":"3"})", "no `answer`");
  expect_error(MathOptions{}, R"({"problem":"p","solution":"\\boxed{ }"})", "no `answer`");
}

TEST(Layouts, CountdownComesInThreeLayouts) {
  for (const char* text :
       {R"({"input":"30, 100,93","output":"23"})", R"({"nums":[30,100,93],"target":23})",
        R"({"numbers":[30,100,93],"target":23})"}) {
    const OrderedJson made = line(CountdownOptions{}, text);
    EXPECT_EQ(made.dump(), R"({"numbers":[30,100,93],"target":23,"source":"a/b.jsonl:1"})");
    EXPECT_EQ(example_of(CountdownOptions{}, made).problem, "30,100,93=23");
    EXPECT_EQ(example_of(CountdownOptions{}, made).answer, "");
  }
  for (const char* bad : {R"({"input":"30;100","output":"23"})", R"({"input":"","output":"23"})",
                          R"({"input":"3","output":"-2"})", R"({"nums":[1,-2],"target":23})",
                          R"({"nums":[1.5],"target":23})", R"({"nums":["1"],"target":23})",
                          R"({"nums":[],"target":23})", R"({"nums":[1],"target":1000000000})",
                          R"({"nums":3,"target":23})", R"({"nums":[1],"target":null})"})
    expect_error(CountdownOptions{}, bad, "");
}

TEST(Layouts, SudokuKeepsZerosAndChecksTheSolution) {
  const auto read = [](const char* row) {
    return line(SudokuOptions{}, std::string("Puzzle,Solution\n") + row, "s.csv");
  };
  EXPECT_EQ(read("0034341221434321,1234341221434321").dump(),
            R"({"puzzle":"0034341221434321","solution":"1234341221434321","source":"s.csv:2"})");
  EXPECT_EQ(read("..34341221434321,1234341221434321")["puzzle"], "0034341221434321");
  const auto fault = [&](const char* row) { return error_of([&] { read(row); }); };
  EXPECT_NE(fault("34341221434321,1234341221434321").find("s.csv:2: puzzle and solution have 14"),
            std::string::npos);
  EXPECT_NE(fault("0034341221434321,1234341221434312").find("is no grid"), std::string::npos);
  EXPECT_NE(fault("0134341221434321,1234341221434321").find("has '1' in cell 2"),
            std::string::npos);
  EXPECT_NE(fault("xx34341221434321,1234341221434321"), "no error");
  expect_error(SudokuOptions{}, R"({"Puzzle":34341221434321,"Solution":"1234341221434321"})",
               "`Puzzle` is number, expected a text");
}

TEST(Layouts, HumanEvalIsAFunctionToComplete) {
  const OrderedJson made = line(
      CodeOptions{},
      R"({"task_id":"HumanEval/38","prompt":"import math\n\ndef helper(s):\n    return s\n\n\ndef decode(s):\n    \"\"\" d \"\"\"\n",)"
      R"("entry_point":"decode","canonical_solution":"    return helper(s)\n","test":"def check(candidate):\n    assert candidate(1) == 1\n"})");
  EXPECT_EQ(
      made["question"],
      "Complete the following Python function:\n```python\nimport math\n\ndef helper(s):\n    "
      "return s\n\n\ndef decode(s):\n    \"\"\" d \"\"\"\n```\n");
  EXPECT_EQ(made["context"], "import math\n\ndef helper(s):\n    return s\n\n\n");
  EXPECT_EQ(made["entry_point"], "decode");
  EXPECT_EQ(made["tests"].size(), 1u);
  EXPECT_EQ(made["tests"][0],
            "import math\n\ndef helper(s):\n    return s\n\n\n"
            "def check(candidate):\n    assert candidate(1) == 1\n\ncheck(decode)")
      << "with a helper of the test's own";
  expect_error(CodeOptions{},
               R"({"prompt":"def f():\n","entry_point":"g","canonical_solution":"x","test":"t"})",
               "does not define `entry_point`, g");
}

TEST(Layouts, MbppTestsCarryWhatTheyNeed) {
  const auto tests = [](const char* text) { return line(CodeOptions{}, text)["tests"].dump(); };
  EXPECT_EQ(
      tests(R"({"prompt":"p","code":"c","test_imports":["import math"],"test_list":["a","b"]})"),
      R"(["import math\na","import math\nb"])");
  EXPECT_EQ(tests(R"({"text":"p","code":"c","test_setup_code":"x = 1","test_list":["a"]})"),
            R"(["x = 1\na"])");
  EXPECT_EQ(tests(R"({"text":"p","code":"c","test_setup_code":"","test_list":["a"]})"), R"(["a"])");
  EXPECT_EQ(tests(R"({"question":"q","test_cases":["a"]})"), R"(["a"])");
  const Example e = example_of(
      CodeOptions{}, line(CodeOptions{}, R"({"text":"p","code":"c","test_list":["a","b"]})"));
  EXPECT_EQ(e.problem, "p");
  EXPECT_EQ(e.answer, "c");
  EXPECT_EQ(e.tests, (std::vector<std::string>{"a", "b"}));
  expect_error(CodeOptions{}, R"({"question":"q","test_cases":[]})", "`test_cases` is empty");
  expect_error(CodeOptions{}, R"({"question":"q","test_cases":[" "]})", "has an empty one");
  expect_error(CodeOptions{}, R"({"question":"q","test_cases":"a"})", "expected a list of texts");
  expect_error(CodeOptions{}, R"({"question":"q","test_cases":[1]})", "expected a list of texts");
}

TEST(Layouts, CustomRecordsKeepEverything) {
  const OrderedJson made =
      line(CustomOptions{}, R"({"b":[1],"answer":3.5,"prompt":" p ","a":{"x":null}})");
  EXPECT_EQ(made.dump(),
            R"({"prompt":" p ","answer":3.5,"a":{"x":null},"b":[1],"source":"a/b.jsonl:1"})");
  EXPECT_EQ(example_of(CustomOptions{}, made).answer, "3.5");
  EXPECT_EQ(line(CustomOptions{}, R"({"prompt":"p","answer":""})")["answer"], "");
  expect_error(CustomOptions{}, R"({"prompt":"p","answer":null})", "`answer` is null");
  expect_error(CustomOptions{}, R"({"prompt":"p","answer":"a","tests":"t"})", "list of texts");
}

/// The lines of real data, which is not in the repository, or none.
Prepared real(const TaskOptions& task, const std::string& name) {
  const std::vector<fs::path> files{fs::path(GDSD_DATA_FOLDER) / "data" / name};
  if (!fs::exists(files[0])) return {};
  Prepared prepared = prepare(task, files);
  for (const std::string& text : prepared.lines) {  // what is prepared is read as it is
    const Record record{nlohmann::json::parse(text), 1};
    EXPECT_EQ(canonical(task, record, "x").dump(), text);
  }
  return prepared;
}

TEST(Layouts, RealFilesAreReadWhole) {
  if (!fs::exists(GDSD_DATA_FOLDER "/data/gsm8k"))
    GTEST_SKIP() << GDSD_DATA_FOLDER "/data is not there";
  EXPECT_EQ(real(Gsm8kOptions{}, "gsm8k/train.jsonl").lines.size(), 7473u);
  EXPECT_EQ(real(Gsm8kOptions{}, "gsm8k/test.jsonl").lines.size(), 1319u);
  EXPECT_EQ(real(MathOptions{}, "math500/test.jsonl").lines.size(), 500u);
  EXPECT_EQ(real(CodeOptions{}, "humaneval/HumanEval.jsonl").lines.size(), 164u);
  EXPECT_EQ(real(CodeOptions{}, "mbpp/sanitized-mbpp.json").lines.size(), 427u);
  const Prepared countdown = real(CountdownOptions{}, "countdown/countdown_cd3_test.jsonl");
  EXPECT_EQ(countdown.lines.size(), 256u);
  EXPECT_EQ(countdown.notes, (std::vector<std::string>{"0 puzzles have no solution"}));
  const Prepared sudoku = real(SudokuOptions{}, "sudoku/4x4_test_sudoku.csv");
  EXPECT_EQ(sudoku.lines.size(), 500u);
  EXPECT_EQ(sudoku.notes, (std::vector<std::string>{"124 puzzles have several solutions"}));
}

TEST(Layouts, TheLastBoxOfRealSolutionsIsTheirAnswer) {
  const std::string file = GDSD_DATA_FOLDER "/data/math500/test.jsonl";
  if (!fs::exists(file)) GTEST_SKIP() << file << " is not there";
  int same = 0;
  for (const Record& r : read_records(file))
    same += solution_box(r.value.at("solution").get<std::string>()) == r.value.at("answer");
  EXPECT_GE(same, 490);
}

TEST(Prepare, SaysWhatPuzzlesAreWorth) {
  const fs::path folder = testing::TempDir(), file = folder / "prepare_test.jsonl";
  write_file(file, R"({"nums":[1,1],"target":9})"
                   "\n"
                   R"({"nums":[3,7,12],"target":16})"
                   "\n"
                   R"({"nums":[1,2,3,4,5,6,7],"target":28})");
  const Prepared out = prepare(CountdownOptions{}, std::vector<fs::path>{file, file});
  ASSERT_EQ(out.lines.size(), 6u);
  EXPECT_EQ(out.lines[0].find("solution"), std::string::npos);
  EXPECT_NE(out.lines[1].find(R"("target":16,"solution":")"), std::string::npos);
  EXPECT_NE(out.lines[1].find(R"(prepare_test.jsonl:2"})"), std::string::npos);
  EXPECT_EQ(out.notes, (std::vector<std::string>{"2 puzzles have no solution",
                                                 "2 puzzles are too large to be solved here"}));
  write_file(file, "\n");
  EXPECT_NE(error_of([&] { prepare(CountdownOptions{}, std::vector<fs::path>{file}); }),
            "no error");
}

TEST(Prepare, GeneratedLinesAreCanonicalAndFunctionsOfTheKey) {
  SudokuOptions large;
  large.side = 9;
  CountdownOptions four;
  four.numbers = 4;
  for (const TaskOptions& task :
       std::vector<TaskOptions>{SudokuOptions{}, large, CountdownOptions{}, four}) {
    const auto lines = generate(task, Split::kHeldOut, 20, Key{3});
    ASSERT_EQ(lines.size(), 20u);
    for (const std::string& text : lines)
      EXPECT_EQ(canonical(task, {nlohmann::json::parse(text), 1}, "x").dump(), text);
    EXPECT_EQ(generate(task, Split::kHeldOut, 20, Key{3}), lines);
    EXPECT_NE(generate(task, Split::kTrain, 20, Key{3}), lines);
    EXPECT_NE(lines[19].find("/held_out:20"), std::string::npos);
  }
  const Gsm8kOptions gsm8k{.files = {.train = "x", .test = {}}};
  EXPECT_NE(error_of([&] { generate(gsm8k, Split::kTrain, 1, Key{}); }).find("cannot be generated"),
            std::string::npos);
}

}  // namespace
}  // namespace gdsd
