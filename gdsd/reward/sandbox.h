// Programs that a model wrote, run where they can do no harm, and judged where they cannot cheat.
//
// Two processes for every program, each in a bubblewrap sandbox of its own. The player runs the
// program and answers calls. The judge runs the tests and never the program: names of the program
// are proxies there, and what comes back from a call is read as plain data. So a program is right
// only if what its functions return satisfies the tests.
#pragma once

#include <array>
#include <memory>
#include <span>
#include <string>

#include "gdsd/data/judging.h"

namespace gdsd {

/// What became of a program: its tests, or the first thing that kept one from passing.
struct Outcome {
  enum class Kind {
    kPassed,   // every test
    kFailed,   // an assertion or an exception, or no program at all
    kTimeout,  // a test took too long
    kCrashed,  // the program's process ended, or answered what cannot be read
    kRefused   // no contained process could be had: says nothing about the program
  };
  Kind kind = Kind::kFailed;
  int passed = 0;  // tests
  int total = 0;
  std::string message = {};  // about the first test that did not pass
};

constexpr auto enum_names(Outcome::Kind) {
  return std::array{"passed", "failed", "timeout", "crashed", "refused"};
}

/// What Python's parser says of a text.
enum class Syntax { kProgram, kEmpty, kSyntaxError, kOtherError };

/// Thread-safe: as many programs run at a time as there are workers, other calls wait.
class Sandbox {
 public:
  /// Starts the processes and tests that they are contained. Throws Error naming what is missing:
  /// nothing is ever run outside a sandbox.
  explicit Sandbox(const SandboxOptions& options = {});

  /// Ends everything inside. No call may be running.
  ~Sandbox();
  Sandbox(const Sandbox&) = delete;
  Sandbox& operator=(const Sandbox&) = delete;

  /// Loads the program and runs the tests one after another, each a Python text that passes if it
  /// raises nothing. A test that hangs or crashes the program costs that test alone: the program is
  /// loaded again for the next. `tests` must not be empty.
  Outcome run(const std::string& program, std::span<const std::string> tests);

  /// As released code does: program and test in one process and namespace, loaded for every test,
  /// `seconds` for both. Contained, but what the program says of itself is believed.
  Outcome run_together(const std::string& program, std::span<const std::string> tests,
                       double seconds);

  /// Parses, does not run. Throws Error where no contained process can be had.
  Syntax parse(const std::string& program);

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace gdsd
