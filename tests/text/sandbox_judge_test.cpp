// What the judge makes of tests and answers: what must not pass, what must, and what is no fault of
// the program.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>

#include "gdsd/reward/sandbox_filter.h"
#include "gdsd/reward/sandbox_process.h"
#include "tests/error_of.h"
#include "tests/text/sandbox_here.h"

namespace gdsd {
namespace {

namespace fs = std::filesystem;
using Kind = Outcome::Kind;

class Judging : public Contained {};

constexpr const char* kOne = "def f(): return 1";

TEST_F(Judging, AnErrorMayHoldHalfACharacter) {
  const Outcome outcome = run("def f(): raise ValueError('\\ud800 é')", {"f()", "assert f() == 1"});
  EXPECT_EQ(outcome.kind, Kind::kFailed) << outcome.message;
  EXPECT_EQ(outcome.message, "ValueError: \\ud800 é");
  expect_passes(kOne, {"assert f() == 1"});
}

TEST_F(Judging, AVerdictThatCannotBeReadCostsItsTestAlone) {
  for (const char* said : {R"(V{\"passed\": true, \"message\": \"\\ud800\"})", R"(V[])", "Znull"}) {
    const std::string odd = concat("import os\nsay = b\"", said,
                                   "\"\nos.write(4, len(say).to_bytes(4, 'little') + say)\n"
                                   "assert f() == 1");
    const Outcome outcome = run(kOne, {odd, "assert f() == 1", "assert f() == 2"});
    EXPECT_EQ(outcome.kind, Kind::kCrashed) << said << ": " << outcome.message;
    EXPECT_EQ(outcome.passed, 1) << said;
    for (int i = 0; i < 4; ++i) {  // no judge is a job behind
      expect_none_passes(kOne, {"assert f() == 2"});
      expect_passes(kOne, {"assert f() == 1"});
    }
  }
}

TEST_F(Judging, AJudgeThatEndsLateIsNoFaultOfTheProgram) {
  expect_passes(kOne, {"import os, time\nos._exit = lambda code: time.sleep(60)\nassert f() == 1"});
  EXPECT_EQ(run(kOne, {"import os\nos.kill(1, 9)\nos.close(4)\nf()"}).message,
            "the judge's process ended");
}

TEST_F(Judging, ALibrarysNameIsTheProgramsOnlyIfItIsAllThatIsAsked) {
  expect_none_passes("def set(*a): pass\ndef permutations(*a): pass",
                     {"assert set(permutations([1, 2])) == {(1, 2), (2, 1)}"});
  expect_none_passes("def fabs(x): return 0\ndef f(x): return 9",
                     {"assert fabs(f(3) - 2.5) < 1e-6"});
  expect_none_passes("def log(x): return 0\ndef f(): return 9", {"assert log(f()) == 0"});
  expect_none_passes("def islice(*a): return [1]\ndef f(): return [2]",
                     {"assert list(islice(f(), 1)) == [1]"});
  expect_none_passes("def itemgetter(i): return lambda x: 1\ndef f(): return [2]",
                     {"assert itemgetter(0)(f()) == 1"});
  expect_passes("def log(x): return 7", {"assert log(1) == 7"});
  expect_passes("import math\ndef gcd(a, b): return math.gcd(a, b)",
                {"assert gcd(4, 6) == math.gcd(4, 6)"});
}

TEST_F(Judging, WhatAnObjectSaysOfItselfIsNotBelieved) {
  const std::string liar =
      "class A: pass\nfor n in 'startswith endswith issubset issuperset isdisjoint is_integer "
      "isdigit "
      "isidentifier'.split():\n    setattr(A, n, lambda *a: True)\ndef f(): return A()";
  for (const char* test :
       {"f().startswith('secret')", "f().endswith('t')", "f().issubset({1})", "f().issuperset({1})",
        "f().isdisjoint({1})", "f().is_integer()", "f().isdigit()", "f().isidentifier()"})
    expect_none_passes(liar, {concat("assert ", test)});
}

TEST_F(Judging, WhatAMethodIsToldIsForgotten) {
  const std::string program = R"(
class A:
    told = None
    def index(self, x):
        A.told = x
        return 0
def f(): return A() if A.told is None else A.told
)";
  EXPECT_EQ(run(program, {"assert f().index(42) == 0", "assert f() == 42"}).passed, 1);
  expect_passes(
      "class Stack:\n    def __init__(self): self.all = []\n"
      "    def push(self, x): self.all.append(x)\n    def pop(self): return self.all.pop()",
      {"s = Stack()\ns.push(1)\ns.push(2)\nassert s.pop() == 2 and s.pop() == 1",
       "s = Stack()\ns.push(x=3)\nassert s.pop() == 3",
       "try:\n    Stack().pop()\nexcept IndexError: pass\nelse: assert False"});
}

TEST_F(Judging, ArgumentsChangeOnlyByFunctionsThatReturnNothing) {
  const std::string cheat = "def f(a):\n    a.clear()\n    return []";
  expect_none_passes(cheat, {"a = [3, 1]\nr = f(a)\nassert r == sorted(a)"});
  expect_none_passes(cheat, {"a = [3, 1]\nassert f(a) == sorted(a)"});
  expect_passes("def s(a): a.sort()", {"a = [3, 1]\nassert s(a) is None and a == [1, 3]",
                                       "a = [3, 1]\ns(a=a)\nassert a == [1, 3]"});
  expect_passes("def s(a, *, d, e): d['k'].append(a.pop())",
                {"a, d, e = [1], {'k': []}, {1}\ns(a, d=d, e=e)\n"
                 "assert (a, d, e) == ([], {'k': [1]}, {1})"});
}

TEST_F(Judging, ATestMustAskSomething) {
  for (const char* test : {"assert True", "def test():\n    assert f() == 2",
                           "if __name__ == 'test':\n    assert f() == 2"}) {
    expect_none_passes(kOne, {test});
    EXPECT_NE(run(kOne, {test}).message.find("asks nothing"), std::string::npos);
  }
  const std::string main = "if __name__ == '__main__':\n    assert f() == 1";
  expect_passes(kOne, {main, "def test():\n    assert f() == 1\ntest()"});
  expect_none_passes("def f(): return 2", {main});
  expect_passes("N = 3", {"assert N == 3"});
}

TEST_F(Judging, AProgramWaitsWhileNoProcessCanBeStarted) {
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  rlimit none = before;
  none.rlim_cur = 3;
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
  std::thread later([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(2500));
    setrlimit(RLIMIT_NOFILE, &before);
  });
  for (int i = 0; i < 8; ++i) expect_passes(kOne, {"assert f() == 1"});
  later.join();
}

/// What the kernel says of the processes below this one's bwraps.
std::vector<std::string> said_of_contained(const char* file) {
  std::vector<std::string> all;
  const auto children = [](const std::string& process) {
    std::vector<std::string> found;
    for (const auto& thread : fs::directory_iterator(concat("/proc/", process, "/task")))
      for (auto [in, child] = std::pair(std::ifstream(thread.path() / "children"), std::string());
           in >> child;)
        found.push_back(child);
    return found;
  };
  for (const std::string& bubblewrap : children("self"))
    for (const std::string& python : children(bubblewrap)) {
      std::ifstream in(concat("/proc/", python, "/", file));
      std::getline(in, all.emplace_back());
    }
  return all;
}

TEST_F(Judging, AProgramIsTheFirstToGoWhereMemoryIsShort) {
  expect_passes(kOne, {"assert f() == 1"});  // its judge is alive
  const auto scores = said_of_contained("oom_score_adj");
  EXPECT_NE(std::find(scores.begin(), scores.end(), "1000"), scores.end()) << scores.size();
}

TEST_F(Judging, TheFirstMessageMayBeLargerThanItsPipe) {
  SandboxStart start;
  start.bubblewrap = quick().bubblewrap;
  start.python = quick().python;
  start.filter = seccomp_filter(false);
  start.files_bytes = 1 << 20;
  start.most_bytes = 100;
  start.source =
      "import os\nn = int.from_bytes(os.read(3, 4), 'little')\nwhile n: n -= len(os.read(3, n))\n"
      "os.write(4, b'\\2\\0\\0\\0{}')\nos.read(3, 1)";
  start.first = std::string(1 << 20, 'x');
  SandboxProcess process(start);
  EXPECT_EQ(error_of([&] { process.await_ready(); }), "no error");
}

TEST(Skips, AreFailuresWhereASandboxIsRequired) {
  const std::string path = std::getenv("PATH");
  SandboxOptions nowhere = quick();
  nowhere.bubblewrap = "/nowhere/bwrap";
  std::string why_not;
  setenv("PATH", "/nowhere", 1);
  const char* required = std::getenv("GDSD_REQUIRE_SANDBOX");
  const std::string before = required ? required : "";
  unsetenv("GDSD_REQUIRE_SANDBOX");
  EXPECT_EQ(sandbox_here(nowhere, why_not), nullptr);
  setenv("GDSD_REQUIRE_SANDBOX", "1", 1);
  EXPECT_THROW(sandbox_here(nowhere, why_not), std::runtime_error);
  if (before.empty()) unsetenv("GDSD_REQUIRE_SANDBOX");
  setenv("PATH", path.c_str(), 1);
}

}  // namespace
}  // namespace gdsd
