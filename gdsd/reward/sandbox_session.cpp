#include "gdsd/reward/sandbox_session.h"

#include "gdsd/base/json.h"

namespace gdsd {
namespace {

using Got = SandboxProcess::Got;

SandboxClock::time_point after(double seconds) {
  return SandboxClock::now() +
         std::chrono::duration_cast<SandboxClock::duration>(std::chrono::duration<double>(seconds));
}

std::string json_text(const nlohmann::json& json) {
  return json.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
}

/// Why a player is of no use any more.
const char* reason(Got got) {
  switch (got) {
    case Got::kLate: return "took too long";
    case Got::kTooLong: return "answered at too great a length";
    case Got::kManyFiles: return "wrote too many files";
    default: return "the program's process ended";
  }
}

/// A process that is ended with the scope.
struct Player {
  explicit Player(SandboxPool& from) : pool(from), process(from.take_player()) {}
  ~Player() { pool.end_player(std::move(process)); }
  Player(const Player&) = delete;
  Player& operator=(const Player&) = delete;
  SandboxPool& pool;
  SandboxPool::Process process;
};

}  // namespace

SandboxSession::SandboxSession(SandboxPool& pool, const SandboxOptions& options)
    : pool_(pool), options_(options), judge_(pool.take_judge()) {}

SandboxSession::~SandboxSession() {
  if (!judge_) return;
  if (is_busy_)  // what it still says is not for the next
    pool_.end_judge(std::move(judge_));
  else
    pool_.give_back(std::move(judge_));
}

void SandboxSession::replace_judge() {
  pool_.end_judge(std::move(judge_));
  judge_ = pool_.take_judge();
  is_busy_ = false;
}

/// Waits for the end of the judge's job.
void SandboxSession::finish_judge() {
  std::string message;
  const auto soon = after(5);
  while (judge_->read(message, soon) == Got::kFrame)
    if (message.starts_with('E')) {
      is_busy_ = false;
      return;
    }
  replace_judge();
}

void SandboxSession::restart_clock() { deadline_ = std::min(after(options_.seconds), end_); }

/// The present test did not pass, or, if the program is not loaded, no test will.
void SandboxSession::fail_test(Kind kind, const std::string& message) {
  if (outcome_.kind == Kind::kPassed) {
    outcome_.kind = kind;
    outcome_.message = message;
  }
  at_ = begun_ ? at_ + 1 : outcome_.total;
}

/// Passes a request of the judge on to the player and the answer back; false where the player is of
/// no use any more.
bool SandboxSession::relay(std::string message, SandboxProcess& player) {
  Got got = player.write(std::string_view(message).substr(1), deadline_);
  if (got == Got::kFrame) got = player.read(message, deadline_);
  if (got == Got::kFrame) {
    if (judge_->write("A" + message, deadline_) == Got::kFrame) return true;
    got = Got::kLate;
  }
  if (judge_->write("X", after(5)) == Got::kFrame)
    finish_judge();
  else
    replace_judge();
  fail_test(got == Got::kLate ? Kind::kTimeout : Kind::kCrashed, reason(got));
  return false;
}

/// Takes what the judge says of a test: B, it begins; V, a verdict. False for anything else.
bool SandboxSession::hear(const std::string& message) {
  restart_clock();
  if (message.starts_with('B')) return begun_ = true;
  if (!message.starts_with('V') || !begun_ || at_ >= outcome_.total) return false;
  TestVerdict verdict;
  try {
    verdict = parse_verdict(std::string_view(message).substr(1));
  } catch (const std::exception&) {  // Error, or nlohmann's own
    return false;
  }
  if (!verdict.passed) {
    fail_test(Kind::kFailed, verdict.message);
    return true;
  }
  ++outcome_.passed;
  ++at_;
  return true;
}

/// Runs tests from `at_` on, until all are done or the player is of no use any more.
void SandboxSession::talk(const std::string& job, SandboxProcess& player) {
  begun_ = false;
  is_busy_ = true;
  restart_clock();
  Got got = judge_->write(job, deadline_);
  std::string message;
  std::string why;
  while (got == Got::kFrame && (got = judge_->read(message, deadline_)) == Got::kFrame) {
    if (message.starts_with('C')) {
      if (!relay(std::move(message), player)) return;
    } else if (message.starts_with('E')) {
      is_busy_ = false;
      if (at_ < outcome_.total) fail_test(Kind::kCrashed, "the judge's process ended");
      return;
    } else if (message.starts_with('N')) {  // the next test wants a program that was told nothing
      return finish_judge();
    } else if (!hear(message)) {
      why = "the judge said what cannot be read";
      break;
    }
  }
  replace_judge();
  if (at_ >= outcome_.total) return;  // only the end of the job was late
  if (why.empty()) why = got == Got::kLate ? "a test took too long" : "the judge's process ended";
  fail_test(got == Got::kLate ? Kind::kTimeout : Kind::kCrashed, why);
}

Outcome SandboxSession::run(const std::string& program, std::span<const std::string> tests) {
  outcome_ = {Kind::kPassed, 0, static_cast<int>(tests.size()), ""};
  end_ = after(options_.program_seconds);
  at_ = 0;
  while (at_ < outcome_.total) {
    const Player player(pool_);
    const auto rest = tests.subspan(static_cast<size_t>(at_));
    talk("R" + json_text({{"program", program},
                          {"tests", std::vector<std::string>(rest.begin(), rest.end())}}),
         *player.process);
    if (at_ < outcome_.total && SandboxClock::now() >= end_) {
      fail_test(Kind::kTimeout, "the program took too long");
      break;
    }
  }
  return outcome_;
}

Syntax SandboxSession::parse(const std::string& program) {
  deadline_ = after(options_.program_seconds);
  Syntax syntax = Syntax::kOtherError;
  is_busy_ = true;
  Got got = judge_->write("P" + json_text(program), deadline_);
  std::string message;
  while (got == Got::kFrame && (got = judge_->read(message, deadline_)) == Got::kFrame) {
    if (message.starts_with('E')) {
      is_busy_ = false;
      return syntax;
    }
    if (message == "S\"program\"") syntax = Syntax::kProgram;
    if (message == "S\"empty\"") syntax = Syntax::kEmpty;
    if (message == "S\"syntax\"") syntax = Syntax::kSyntaxError;
  }
  replace_judge();
  return syntax;
}

}  // namespace gdsd
