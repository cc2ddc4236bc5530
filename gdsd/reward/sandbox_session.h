// One talk of a judge and a player about a program, relayed.
#pragma once

#include <span>
#include <string>

#include "gdsd/reward/sandbox.h"
#include "gdsd/reward/sandbox_pool.h"

namespace gdsd {

/// What relays between the two and kills what is late.
class SandboxSession {
 public:
  /// Takes a judge, gives it back or ends it.
  SandboxSession(SandboxPool& pool, const SandboxOptions& options);
  ~SandboxSession();
  SandboxSession(const SandboxSession&) = delete;
  SandboxSession& operator=(const SandboxSession&) = delete;

  /// Runs all tests; Sandbox::run.
  Outcome run(const std::string& program, std::span<const std::string> tests);

  /// Sandbox::parse.
  Syntax parse(const std::string& program);

 private:
  using Kind = Outcome::Kind;
  using Got = SandboxProcess::Got;

  void talk(const std::string& job, SandboxProcess& player);
  bool relay(std::string message, SandboxProcess& player);
  void fail_test(Kind kind, const std::string& message);
  bool hear(const std::string& message);
  void finish_judge();
  void replace_judge();
  void restart_clock();

  SandboxPool& pool_;
  const SandboxOptions& options_;
  SandboxPool::Process judge_;
  Outcome outcome_;
  bool is_busy_ = false;  // whether the judge has a job that it has not ended
  int at_ = 0;            // the test that runs
  bool begun_ = false;    // whether the program is loaded
  SandboxClock::time_point deadline_, end_;
};

}  // namespace gdsd
