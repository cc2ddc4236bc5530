// A sandbox for tests, or why there is none.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "gdsd/reward/sandbox.h"

namespace gdsd {

/// Null, and why, where bubblewrap itself does not work on this machine. Where it does, a sandbox that
/// refuses is a failure: the Error is passed on. So it is with GDSD_REQUIRE_SANDBOX=1.
inline std::unique_ptr<Sandbox> sandbox_here(const SandboxOptions& options, std::string& why_not) {
  try {
    return std::make_unique<Sandbox>(options);
  } catch (const Error& e) {
    const char* required = std::getenv("GDSD_REQUIRE_SANDBOX");
    if ((required && required == std::string("1")) ||
        std::system("bwrap --unshare-all --ro-bind / / true") == 0)
      throw std::runtime_error(e.what());
    why_not = e.what();
    return nullptr;
  }
}

inline SandboxOptions quick() {
  SandboxOptions options;
  options.workers = 2;
  options.seconds = 2;
  options.program_seconds = 4;
  return options;
}

/// The tests of one sandbox, which is made once; skipped where none can be had.
class Contained : public testing::Test {
 protected:
  static void SetUpTestSuite() { sandbox = sandbox_here(quick(), why_not); }
  static void TearDownTestSuite() { sandbox.reset(); }
  void SetUp() override {
    if (!sandbox) GTEST_SKIP() << why_not;
  }

  static Outcome run(const std::string& program, const std::vector<std::string>& tests) {
    return sandbox->run(program, tests);
  }
  static void expect_passes(const std::string& program, const std::vector<std::string>& tests) {
    const Outcome outcome = run(program, tests);
    EXPECT_EQ(outcome.passed, outcome.total) << program << outcome.message;
    EXPECT_EQ(outcome.kind, Outcome::Kind::kPassed) << outcome.message;
  }
  static void expect_none_passes(const std::string& program,
                                 const std::vector<std::string>& tests) {
    const Outcome outcome = run(program, tests);
    EXPECT_EQ(outcome.passed, 0) << program << " passes " << tests[0];
    EXPECT_NE(outcome.kind, Outcome::Kind::kRefused) << outcome.message;
  }

  static inline std::unique_ptr<Sandbox> sandbox;
  static inline std::string why_not;
};

}  // namespace gdsd
