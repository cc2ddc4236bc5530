// What must not get out of the sandbox, what must not pass, and what must.
#include "gdsd/reward/sandbox.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <thread>

#include "gdsd/base/file.h"
#include "gdsd/text/python_text.h"
#include "tests/error_of.h"
#include "tests/text/sandbox_attacks.h"
#include "tests/text/sandbox_here.h"

namespace gdsd {
namespace {

namespace fs = std::filesystem;
using Kind = Outcome::Kind;
using Tests = std::vector<std::string>;

/// What an attack could reach: a file, and sockets that somebody listens to.
struct Host {
  Host() {
    write_file(canary, "untouched");
    internet = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* any = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(bind(internet, any, size), 0);
    EXPECT_EQ(getsockname(internet, any, &size), 0);
    port = ntohs(address.sin_port);
    local = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    sockaddr_un there{};
    there.sun_family = AF_UNIX;
    name.copy(there.sun_path + 1, sizeof there.sun_path - 2);
    EXPECT_EQ(bind(local, reinterpret_cast<sockaddr*>(&there),
                   static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size())),
              0);
    EXPECT_EQ(listen(internet, 5) + listen(local, 5), 0);
  }
  ~Host() {
    close(internet);
    close(local);
    fs::remove(canary);
  }
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;

  std::string filled(std::string text) const {
    text = replace_all(text, "@CANARY@", canary.string());
    text = replace_all(text, "@NAME@", name);
    return replace_all(text, "@PORT@", std::to_string(port));
  }
  bool untouched() const {
    return read_file(canary) == "untouched" && accept(internet, nullptr, nullptr) < 0 &&
           accept(local, nullptr, nullptr) < 0;
  }

  std::string name = concat("gdsd-test-", getpid());
  fs::path canary = fs::temp_directory_path() / name;
  int internet = -1, local = -1, port = 0;
};

class Attacks : public Contained, public testing::WithParamInterface<Attack> {};

TEST_P(Attacks, NeitherEscapesNorPasses) {
  static const Host host;
  const std::string program = host.filled(GetParam().program);
  const auto begin = std::chrono::steady_clock::now();
  const Outcome outcome = run(program, {GetParam().test});
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  EXPECT_EQ(outcome.passed, 0);
  EXPECT_NE(outcome.kind, Kind::kPassed);
  EXPECT_NE(outcome.kind, Kind::kRefused) << outcome.message;
  EXPECT_FALSE(outcome.message.empty());
  EXPECT_NE(outcome.message.find(GetParam().says), std::string::npos) << outcome.message;
  EXPECT_LT(took.count(), 15);
  EXPECT_TRUE(host.untouched());
  expect_passes("def f(): return 1", {"assert f() == 1"});
}

INSTANTIATE_TEST_SUITE_P(Table, Attacks, testing::ValuesIn(kAttacks),
                         [](const auto& attack) { return std::string(attack.param.name); });

/// What attacks are made of is there: else they fail for want of it.
TEST_F(Contained, ToolsOfAttacksWork) {
  expect_passes(
      GDSD_LIBC
      "import fcntl, gc, signal, socket, subprocess, threading\ndef f(): return libc.getpid()\n"
      "def g(): return socket.AF_INET\ndef h(): return fcntl.fcntl(3, fcntl.F_GETFL)\n" GDSD_FRAME
      "def i(): say(b'{\"value\": 5}'); os.read(3, 0); os.close(4)",
      {"assert f() == 1", "assert g() == 2", "assert h() >= 0", "assert i() == 5"});
}

TEST_F(Contained, ValuesComeBackExactly) {
  const std::string program = R"(
import collections, decimal, fractions
def same(x): return x
def counter(): return collections.Counter('aab')
def named(): return collections.namedtuple('P', 'x y')(1, 2)
def fraction(): return fractions.Fraction(1, 3), decimal.Decimal('0.10')
def views(): return {1: 2}.keys(), {1: 2}.items()
def numbers():
    n = 0
    while True:
        yield n
        n += 1
LIMIT = {'a': [1, 2.5]}
)";
  expect_passes(program,
                {"for x in (None, True, 0, -2**63, 2**200, -2**64, 1.5, -0.0, 5e-324, 1e308, "
                 "'a\\0\\ud800é', b'\\xff',"
                 " bytearray(b'a'), 1-2j, [], [[1], (2, {3})], {(1, 2): {'a': frozenset([1])}}, "
                 "range(1, 9, 2), int, dict):\n"
                 "    assert same(x) == x and type(same(x)) is type(x), x",
                 "assert str(same(-0.0)) == '-0.0' and same(float('inf')) == float('inf')",
                 "assert same(float('nan')) != same(float('nan'))",
                 "assert counter() == {'a': 2, 'b': 1}", "assert named() == (1, 2)",
                 "from fractions import Fraction\nfrom decimal import Decimal\n"
                 "assert fraction() == (Fraction(1, 3), Decimal('0.10'))",
                 "assert views()[0] == {1} and list(views()[1]) == [(1, 2)]",
                 "import itertools\nassert list(itertools.islice(numbers(), 5000))[-1] == 4999",
                 "assert list(same(iter([1, 2]))) == [1, 2]", "assert LIMIT == {'a': [1, 2.5]}"});
}

TEST_F(Contained, ObjectsAndFunctionsCross) {
  const std::string program = R"(
import math, dataclasses
@dataclasses.dataclass
class Pair:
    a: int
    b: int
    def sum(self): return self.a + self.b
    def __len__(self): return 2
    def __getitem__(self, i): return (self.a, self.b)[i]
def longest(pairs): return max(p.b for p in pairs)
def apply(f, *xs): return [f(x) for x in xs]
def sort(a): a.sort()
def unique(a):
    a[:] = sorted(set(a))
    return len(a)
def fails(): raise KeyError('k')
class Own(ValueError): pass
def fails_too(): raise Own('why')
)";
  expect_passes(program,
                {"assert longest([Pair(5, 24), Pair(b=3, a=1)]) == 24",
                 "p = Pair(1, 2)\nassert p.sum() == 3 and p.a == 1 and len(p) == 2 and p[1] == 2",
                 "assert list(Pair(1, 2)) == [1, 2] and str(Pair(1, 2)) == 'Pair(a=1, b=2)'",
                 "assert apply(lambda x: x * 2, 1, 2) == [2, 4]",
                 "assert apply(math.sqrt, 4) == [2] and apply(str, 1) == ['1']",
                 "a = [3, 1]\nsort(a)\nassert a == [1, 3]",
                 "a = [2, 1, 2]\nn = unique(a)\nassert n == 2 and a == [2, 1, 2]",
                 "try:\n    fails()\nexcept KeyError as e:\n    assert e.args == ('k',)\n"
                 "else:\n    assert False",
                 "try:\n    fails_too()\nexcept ValueError as e:\n    assert str(e) == 'why'"});
  EXPECT_EQ(run(program, {"assert Pair(1, 2) == Pair(1, 2)"}).passed, 0);
}

TEST_F(Contained, AProgramMayDefineTheBuiltinThatIsAskedFor) {
  expect_passes("def sum(a, b): return a + b", {"assert sum(10, 15) == 25"});
  expect_passes("from math import *\nimport collections\ndef f(): return 'aab'",
                {"assert collections.Counter(f())['a'] == 2", "assert sqrt(4) == 2"});
}

TEST_F(Contained, ATestThatHangsOrCrashesCostsThatTestAlone) {
  const std::string program = R"(
import os
def f(x):
    while x == 2: pass
    if x == 3: os._exit(0)
    return x
)";
  const Outcome outcome = run(program, {"assert f(1) == 1", "assert f(2) == 2", "assert f(3) == 3",
                                        "assert f(4) == 5", "assert f(5) == 5"});
  EXPECT_EQ(outcome.passed, 2);
  EXPECT_EQ(outcome.total, 5);
  EXPECT_EQ(outcome.kind, Kind::kTimeout);
  EXPECT_EQ(run(program, {"assert f(3) == 3"}).kind, Kind::kCrashed);
  EXPECT_EQ(run(program, {"assert f(1) == 2"}).kind, Kind::kFailed);
  EXPECT_EQ(run("def f(:", {"assert True"}).message.substr(0, 11), "SyntaxError");
}

TEST_F(Contained, EmptyFilesAreCounted) {
  const std::string program =
      "import os\ndef f():\n    for n in range(10**7): os.close(os.open('/tmp/%d' % n, "
      "os.O_CREAT))";
  EXPECT_EQ(run(program, {"f()"}).message, "wrote too many files");
}

TEST_F(Contained, ATestThatHangsInTheJudgeIsKilled) {
  EXPECT_EQ(run("x = 1", {"while x: pass"}).kind, Kind::kTimeout);
  EXPECT_EQ(run("x = 1", {"import os\nos._exit(0)"}).kind, Kind::kCrashed);
  EXPECT_EQ(run("x = 1", {"assert )", "assert x == 1"}).passed, 1);
}

TEST_F(Contained, TextThatIsNoUtf8IsNoProgram) {
  EXPECT_EQ(run("x = 1\xff\n", {"assert True"}).passed, 0);
  EXPECT_EQ(run(std::string("x = 1\0\n", 7), {"assert True"}).passed, 0);
  EXPECT_EQ(sandbox->parse(std::string("x\0", 2)), Syntax::kOtherError);
  EXPECT_EQ(sandbox->parse(std::string(1 << 20, '(')), Syntax::kSyntaxError);
  EXPECT_EQ(sandbox->parse("# nothing"), Syntax::kEmpty);
}

TEST(Sandbox, ServesManyThreadsAndLeavesNoProcess) {
  std::string why_not;
  auto sandbox = sandbox_here(quick(), why_not);
  if (!sandbox) GTEST_SKIP() << why_not;
  std::array<std::atomic<int>, 5> ended{};
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t)
    threads.emplace_back([&] {
      for (const char* body : {"return 1", "return 2", "import os; os._exit(1)"})
        ++ended.at(static_cast<size_t>(
            sandbox->run(concat("def f(): ", body), Tests{"assert f() == 1"}).kind));
    });
  for (std::thread& thread : threads) thread.join();
  const auto count = [&](Kind kind) { return ended.at(static_cast<size_t>(kind)).load(); };
  EXPECT_EQ(count(Kind::kPassed), 8);
  EXPECT_EQ(count(Kind::kFailed), 8);
  EXPECT_EQ(count(Kind::kCrashed), 8);
  sandbox.reset();
  EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1);
  EXPECT_EQ(errno, ECHILD);
}

TEST(Sandbox, RefusesWithoutContainment) {
  SandboxOptions options = quick();
  options.bubblewrap = "/nowhere/bwrap";
  EXPECT_NE(error_of([&] { Sandbox sandbox(options); }).find("/nowhere/bwrap"), std::string::npos);

  // A bwrap that runs what it is given as it is.
  const fs::path fake = fs::temp_directory_path() / concat("gdsd-bwrap-", getpid());
  write_file(fake,
             "#!/bin/sh\nwhile [ \"$1\" != -- ]; do shift; done\nshift\n"
             "echo '{\"child-pid\": '$$'}' >&6\nexec 6>&-\nexec \"$@\"\n");
  chmod(fake.c_str(), 0755);
  options.bubblewrap = fake.string();
  const std::string error = error_of([&] { Sandbox sandbox(options); });
  EXPECT_NE(error.find("self-test"), std::string::npos) << error;
  fs::remove(fake);

  options = quick();
  options.python = "/usr/bin/false";
  EXPECT_NE(error_of([&] { Sandbox sandbox(options); }).find("could be started"),
            std::string::npos);
  options.python = "/opt/python";
  EXPECT_NE(error_of([&] { Sandbox sandbox(options); }).find("below /usr"), std::string::npos);
}

}  // namespace
}  // namespace gdsd
