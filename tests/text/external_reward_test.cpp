#include "gdsd/reward/external.h"

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "gdsd/base/file.h"
#include "tests/error_of.h"

namespace gdsd {
namespace {

const Example kExample{.prompt = "Q: 6·7?",
                       .problem = "6·7?",
                       .answer = "42",
                       .source = "test.jsonl:1",
                       .record = R"({"level": 3})"};

/// A Python program in a file of its own, as a command.
class Program {
 public:
  explicit Program(const std::string& text)
      : path_(std::filesystem::temp_directory_path() /
              concat("gdsd_external_", getpid(), "_",
                     testing::UnitTest::GetInstance()->current_test_info()->name(), ".py")) {
    std::ofstream(path_) << "import json, os, sys, time\n" << text;
  }
  ~Program() { std::filesystem::remove(path_); }

  std::string command() const { return "/usr/bin/env python3 " + path_.string(); }
  Reward reward(double timeout = 20) const {
    return external_reward({.command = command(), .timeout = timeout});
  }
  std::string error(double timeout = 20) const {
    return error_of([&] { reward(timeout)({&kExample, "42"}); });
  }

 private:
  std::filesystem::path path_;
};

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST(ExternalReward, RunsTheExampleOfTheManual) {
  const Reward reward = external_reward(
      {.command = "/usr/bin/env python3 " GDSD_SOURCE_DIR "/docs/reward_example.py"});
  EXPECT_EQ(reward({&kExample, "so 42"}), 1);
  EXPECT_EQ(reward({&kExample, "so 43 "}), 0);
  const Example without{.prompt = "?"};
  EXPECT_EQ(reward({&without, "42"}), std::nullopt);
}

TEST(ExternalReward, TellsTheWholeAttempt) {
  const Program echo(
      "for line in sys.stdin:\n"
      "    a = json.loads(line)\n"
      "    i = a.pop('id')\n"
      "    good = a == {'prompt': 'Q: 6·7?', 'problem': '6·7?', 'answer': '42',\n"
      "                 'completion': '4\\n\\x00\\ufffd', 'source': 'test.jsonl:1',\n"
      "                 'record': {'level': 3}}\n"
      "    print(json.dumps({'more': [], 'score': int(good), 'id': i}), flush=True)\n");
  using namespace std::string_literals;
  EXPECT_EQ(echo.reward()({&kExample, "4\n\0\xff"s}), 1.0);
  EXPECT_EQ(echo.reward()({&kExample, "4"}), 0.0);
  const Program no_record(
      "for line in sys.stdin:\n"
      "    a = json.loads(line)\n"
      "    print(json.dumps({'id': a['id'], 'score': 7 if a['record'] is None else 0}), "
      "flush=True)\n");
  const Example bare{.prompt = "?"};
  EXPECT_EQ(no_record.reward()({&bare, ""}), 7.0);
}

TEST(ExternalReward, StaysTheSameProcessAndCarriesLongLines) {
  const Program counts(
      "for n, line in enumerate(sys.stdin):\n"
      "    a = json.loads(line)\n"
      "    sys.stderr.write('x' * 100000)\n"
      "    print(json.dumps({'id': a['id'], 'score': n + len(a['completion']) / 1e9,\n"
      "                      'why': 'y' * 300000}), flush=True)\n");
  const Reward reward = counts.reward();
  const Reward copy = reward;
  const std::string million(1000000, 'a');
  EXPECT_EQ(reward({&kExample, million}), 0.001);
  EXPECT_EQ(copy({&kExample, million}), 1.001);
  EXPECT_EQ(reward({&kExample, ""}), 2.0);
}

TEST(ExternalReward, ThreadsShareIt) {
  const Program length(
      "for line in sys.stdin:\n"
      "    a = json.loads(line)\n"
      "    print(json.dumps({'id': a['id'], 'score': len(a['completion'])}), flush=True)\n");
  std::vector<Attempt> attempts;
  for (int i = 0; i < 200; ++i) attempts.push_back({&kExample, std::string(i, 'a')});
  const Scores scores =
      score(attempts, std::vector<WeightedReward>{{"length", 1.0, length.reward()}}, 8);
  for (int i = 0; i < 200; ++i) EXPECT_EQ(scores.total[i], i);
}

TEST(ExternalReward, IsStartedAgainOnce) {
  const Program dies_at_the_third(
      "for n, line in enumerate(sys.stdin):\n"
      "    if n == 2: sys.exit(3)\n"
      "    print(json.dumps({'id': json.loads(line)['id'], 'score': n}), flush=True)\n");
  const Reward reward = dies_at_the_third.reward();
  for (const double n : {0, 1, 0, 1, 0}) EXPECT_EQ(reward({&kExample, ""}), n);

  const Program dies("sys.stdin.readline()\nsys.exit('no more\\nthis is why')\n");
  const std::string error = dies.error();
  EXPECT_TRUE(has(error, "[reward] '" + dies.command() + "' ended without an answer, also when "))
      << error;
  EXPECT_TRUE(has(error, "exit status 1; its last words: no more\nthis is why")) << error;
}

TEST(ExternalReward, SaysWhyItCannotBeUsed) {
  EXPECT_EQ(error_of([] { external_reward({.command = "/no/such/program -x"}); }),
            "[reward] cannot start '/no/such/program': No such file or directory.");
  EXPECT_EQ(error_of([] { external_reward({.command = " "}); }), "command: must name a program.");
  EXPECT_TRUE(has(error_of([] { external_reward({.command = "cat", .timeout = 0}); }),
                  "timeout: got 0, expected 0 … 86400 seconds."));
  EXPECT_TRUE(
      has(error_of([] {
            external_reward({.command = "true"})({&kExample, "42"});
          }),
          "[reward] 'true' ended without an answer, also when started anew: exit status 0"));
  EXPECT_TRUE(has(Program("os.kill(os.getpid(), 11)\n").error(), "started anew: signal 11"));
}

TEST(ExternalReward, RefusesWhatIsNoAnswer) {
  for (const char* answer :
       {"hello", "", "[]", "7", "{\"id\": 0}", "{\"score\": 1}", "{\"id\": 1, \"score\": 1}",
        "{\"id\": \"0\", \"score\": 1}", "{\"id\": 0, \"score\": \"1\"}",
        "{\"id\": 0, \"score\": true}", "{\"id\": 0, \"score\": NaN}",
        "{\"id\": 0, \"score\": 1e999}", "{\"id\": 0, \"score\": -Infinity}", "\\xff{"}) {
    const Program program(concat("sys.stdin.readline()\nsys.stdout.buffer.write(b'", answer,
                                 "\\n')\nsys.stdout.flush()\nsys.stdin.readline()\n"));
    const std::string error = program.error();
    EXPECT_TRUE(has(error, "expected {\"id\": 0, \"score\": a number or null}")) << answer << error;
  }
  const Program endless("while True: sys.stdout.write('a' * 9999)\n");
  EXPECT_TRUE(has(endless.error(), "answered \"aaa"));
}

TEST(ExternalReward, AnAnswerToAnotherQuestionIsAnError) {
  const Program twice(
      "for line in sys.stdin:\n"
      "    for _ in range(2):\n"
      "        print(json.dumps({'id': json.loads(line)['id'], 'score': 1}), flush=True)\n");
  const Reward reward = twice.reward();
  EXPECT_EQ(reward({&kExample, ""}), 1.0);
  EXPECT_TRUE(has(error_of([&] { reward({&kExample, ""}); }), "expected {\"id\": 1, "));
}

TEST(ExternalReward, WaitsNoLongerThanItMay) {
  const Program silent("for line in sys.stdin: time.sleep(1000)\n");
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_TRUE(has(silent.error(0.3), "gave no answer in 0.3 s"));
  const Program reads_nothing("time.sleep(1000)\n");
  const Reward deaf = reads_nothing.reward(0.3);
  EXPECT_TRUE(has(error_of([&] {
                    deaf({&kExample, std::string(1 << 20, 'a')});
                  }),
                  "gave no answer"));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(20));
}

TEST(ExternalReward, LeavesNoProcessBehind) {
  {
    const Program deaf("time.sleep(1000)\n");
    const Reward killed = deaf.reward();
    const Reward obeys = external_reward({.command = "cat"});
  }
  EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1);
  EXPECT_EQ(errno, ECHILD) << "a child is left, alive or as a zombie";
}

TEST(ExternalReward, IsNotHeldUpByWhatIsWrittenAfterItsEnd) {
  const Program wordy(
      "F_SETPIPE_SZ = 1031\nimport fcntl\n"
      "sys.stdin.readline()\n"
      "os.close(1)\n"
      "time.sleep(0.3)\n"
      "fcntl.fcntl(2, F_SETPIPE_SZ, 1 << 20)\n"
      "os.write(2, b'a' * 300000 + b'b' * 300000)\n");
  const std::string error = wordy.error();
  EXPECT_TRUE(has(error, "exit status 0; its last words: aaa")) << error;
  EXPECT_FALSE(has(error, "b" + std::string(100, 'b'))) << "more than 64 KB of it was read";
}

TEST(ExternalReward, InheritsNoDescriptor) {
  const int open = dup(2);  // which stays open in a program that is started
  const Program counts(
      "for line in sys.stdin:\n"
      "    others = [f for f in range(3, 100) if os.path.exists(f'/proc/self/fd/{f}')]\n"
      "    print(json.dumps({'id': json.loads(line)['id'], 'score': len(others)}), flush=True)\n");
  EXPECT_EQ(counts.reward()({&kExample, ""}), 0);
  close(open);
}

TEST(ExternalReward, AClosedPipeIsNoSignal) {
  const Reward reward = external_reward({.command = "true"});
  std::this_thread::sleep_for(std::chrono::milliseconds(500));
  EXPECT_TRUE(has(error_of([&] { reward({&kExample, ""}); }), "exit status 0"));
}

TEST(ExternalReward, AMalformedRecordIsTheExamplesFault) {
  Example example = kExample;
  example.record = "{";
  EXPECT_EQ(error_of([&] {
              external_reward({.command = "cat"})({&example, ""});
            }),
            "test.jsonl:1: not a JSON object.");
}

}  // namespace
}  // namespace gdsd
