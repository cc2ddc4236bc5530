#include "gdsd/reward/sandbox.h"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <string_view>
#include <thread>

#include "gdsd/base/json.h"
#include "gdsd/reward/sandbox_filter.h"
#include "gdsd/reward/sandbox_session.h"
#include "sandbox_python.inc"

namespace gdsd {
namespace {

using Kind = Outcome::Kind;
using Got = SandboxProcess::Got;
constexpr int64_t kMiB = 1 << 20;

template <size_t N>
std::string text_of(const unsigned char (&bytes)[N]) {
  return {bytes, bytes + N};
}

/// The limits that Python sets itself before anything else runs in it.
std::string limits_of(const SandboxOptions& options, bool is_judge) {
  const auto seconds = static_cast<int64_t>(std::ceil(options.program_seconds)) + 1;
  const int64_t memory = std::max(options.memory_mb, is_judge ? int64_t{1024} : int64_t{0});
  return concat("[('AS', ", memory * kMiB, "), ('CPU', ", seconds, "), ('FSIZE', ",
                options.files_mb * kMiB, "), ('NOFILE', 64), ('NPROC', 32), ('CORE', 0)]");
}

SandboxStart start_of(const SandboxOptions& options, bool is_judge) {
  SandboxStart start;
  start.bubblewrap = options.bubblewrap;
  start.python = options.python;
  start.filter = seccomp_filter(is_judge);
  start.files_bytes = options.files_mb * kMiB;
  start.most_bytes = static_cast<size_t>(options.answer_kb) * 1024 + 64;
  if (is_judge) start.most_bytes += static_cast<size_t>(kMiB) * 16;  // programs are in its messages
  const std::string limits = limits_of(options, is_judge);
  const std::string source =
      text_of(kWire) + text_of(kRemote) + (is_judge ? text_of(kJudge) : text_of(kPlayer)) +
      (is_judge ? concat("\njudge(", limits, ")\n")
                : concat("\nplay(", limits, ", ", options.answer_kb * 1024, ")\n"));
  // Compiled once, by a process that runs nothing else: it would take half of every start.
  start.source = text_of(kWire) +
                 "\nimport marshal\nwrite_frame(b'{}')\nwrite_frame(marshal.dumps(" +
                 "compile(read_frame(), '<sandbox>', 'exec')))\n";
  start.first = source;
  SandboxProcess compiler(start);
  compiler.await_ready();
  const auto soon = SandboxClock::now() + std::chrono::seconds(30);
  check(compiler.read(start.first, soon) == Got::kFrame, "[sandbox] Python compiled nothing.");
  start.source =
      "import marshal, os\n"
      "def take(n):\n"
      "    part = os.read(3, n)\n"
      "    return part if len(part) == n or not part else part + take(n - len(part))\n"
      "exec(marshal.loads(take(int.from_bytes(take(4), 'little'))))\n";
  return start;
}

std::string run_together_request(const std::string& program, const std::string& test) {
  const nlohmann::json request = {{"ask",
                                   {{"op", "together"},
                                    {"on", 0},
                                    {"args", {program, test}},
                                    {"kwargs", nlohmann::json::object()}}}};
  return request.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
}

/// A worker has three processes with five files each: many more than 16 meet the usual limit of 1024.
size_t workers_of(const SandboxOptions& options) {
  const unsigned cores = std::clamp(std::thread::hardware_concurrency(), 1U, 16U);
  return options.workers > 0 ? static_cast<size_t>(options.workers) : cores;
}

/// A file that exists while this does, which nothing contained may see.
struct Canary {
  Canary() {
    std::string name = (std::filesystem::temp_directory_path() / "gdsd-canary-XXXXXX").string();
    const int file = mkstemp(name.data());
    check(file >= 0, "[sandbox] cannot write ", name, ".");
    close(file);
    path = name;
  }
  ~Canary() {
    std::error_code ignored;
    std::filesystem::remove(path, ignored);
  }
  Canary(const Canary&) = delete;
  Canary& operator=(const Canary&) = delete;
  std::filesystem::path path;
};

}  // namespace

class Sandbox::State {
 public:
  explicit State(const SandboxOptions& given)
      : options(given), pool(workers_of(given), start_of(given, false), start_of(given, true)) {}

  /// Runs one test in a player's own process; an empty message means that it passed.
  Kind together(SandboxPool::Process& player, const std::string& program, const std::string& test,
                double seconds, std::string& message);

  void self_test();

  const SandboxOptions options;
  SandboxPool pool;
};

Kind Sandbox::State::together(SandboxPool::Process& player, const std::string& program,
                              const std::string& test, double seconds, std::string& message) {
  if (!player) player = pool.take_player();
  const auto deadline = SandboxClock::now() + std::chrono::duration_cast<SandboxClock::duration>(
                                                  std::chrono::duration<double>(seconds));
  Got got = player->write(run_together_request(program, test), deadline);
  if (got == Got::kFrame) got = player->read(message, deadline);
  if (got == Got::kFrame) return message == R"({"value": true})" ? Kind::kPassed : Kind::kFailed;
  pool.end_player(std::move(player));
  message = got == Got::kLate ? "took too long" : "the program's process ended";
  return got == Got::kLate ? Kind::kTimeout : Kind::kCrashed;
}

void Sandbox::State::self_test() {
  const Canary canary;
  const std::string program = "CANARY = " + nlohmann::json(canary.path.string()).dump() + "\n";
  SandboxPool::Process player;
  std::string message;
  const Kind kind = together(player, program, program + text_of(kProbe), 30, message);
  if (player) pool.end_player(std::move(player));
  check(kind == Kind::kPassed, "[sandbox] the self-test found no containment: ", message,
        ". No program will be run.");
  const Syntax parsed = SandboxSession(pool, options).parse("x = 1");
  check(parsed == Syntax::kProgram, "[sandbox] the judge's process does not work.");
}

Sandbox::Sandbox(const SandboxOptions& options) {
  options.validate();
  state_ = std::make_unique<State>(options);
  state_->self_test();
}

Sandbox::~Sandbox() = default;

Outcome Sandbox::run(const std::string& program, std::span<const std::string> tests) {
  check(!tests.empty(), "[sandbox] a program without tests.");
  try {
    return SandboxSession(state_->pool, state_->options).run(program, tests);
  } catch (const Error& e) {
    return {Kind::kRefused, 0, static_cast<int>(tests.size()), e.what()};
  }
}

Outcome Sandbox::run_together(const std::string& program, std::span<const std::string> tests,
                              double seconds) {
  check(!tests.empty(), "[sandbox] a program without tests.");
  Outcome outcome{Kind::kPassed, 0, static_cast<int>(tests.size()), ""};
  SandboxPool::Process player;
  try {
    for (const std::string& test : tests) {
      std::string message;
      const Kind kind = state_->together(player, program, test, seconds, message);
      outcome.passed += kind == Kind::kPassed ? 1 : 0;
      if (kind == Kind::kPassed || outcome.kind != Kind::kPassed) continue;
      outcome.kind = kind;
      outcome.message = message;
    }
  } catch (const Error& e) {
    outcome = {Kind::kRefused, 0, outcome.total, e.what()};
  }
  if (player) state_->pool.end_player(std::move(player));
  return outcome;
}

Syntax Sandbox::parse(const std::string& program) {
  return SandboxSession(state_->pool, state_->options).parse(program);
}

}  // namespace gdsd
