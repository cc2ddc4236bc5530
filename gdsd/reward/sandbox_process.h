// One Python process under bubblewrap, and the pipes to it.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "gdsd/reward/sandbox_fd.h"
#include "gdsd/reward/sandbox_frames.h"

namespace gdsd {

using SandboxClock = std::chrono::steady_clock;

/// How a process is started.
struct SandboxStart {
  std::string bubblewrap = {}, python = {};  // paths of programs
  std::string source = {};                   // what Python runs first
  std::string first = {};                    // the first message to it
  std::string filter = {};                   // seccomp_filter()
  int64_t files_bytes = 0;                   // size of its /tmp
  size_t most_bytes = 0;                     // of one message
};

/// A child process, ended and buried when it goes.
struct ChildProcess {
  explicit ChildProcess(pid_t started);
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  const pid_t number;
  const OwnedFd handle;  // a pidfd
};

/// The process dies with the thread that made it, with this object, or when it likes.
class SandboxProcess {
 public:
  enum class Got { kFrame, kLate, kClosed, kTooLong, kManyFiles };

  /// Does not wait for Python to run. `first` waits in the pipe for it as far as that has room, and is
  /// sent to its end by await_ready(). Throws Error for what fails until then.
  explicit SandboxProcess(const SandboxStart& start);

  /// Kills all that runs inside, and waits for the end.
  ~SandboxProcess();
  SandboxProcess(const SandboxProcess&) = delete;
  SandboxProcess& operator=(const SandboxProcess&) = delete;

  /// Kills all that runs inside, without waiting. Nothing else may be called any more but exited().
  void kill();

  /// Whether the process has ended and the destructor need not wait.
  bool exited() const;

  /// Waits for Python to say, once, that it is ready. Throws Error, with what it complained of,
  /// where it does not.
  void await_ready();

  /// The next message from inside.
  Got read(std::string& payload, SandboxClock::time_point deadline);

  /// kFrame when all is written, else kLate or kClosed.
  Got write(std::string_view payload, SandboxClock::time_point deadline);

 private:
  void learn_inner();
  Got send(std::string_view& rest, SandboxClock::time_point deadline);
  std::string complaint() const;
  bool has_many_files() const;

  FrameReader frames_;
  std::unique_ptr<ChildProcess> outer_;  // bwrap
  OwnedFd inner_;                        // Python, process 1 of its own tree, as a pidfd
  OwnedFd info_;       // where bwrap says which process that is, until it is asked
  std::string files_;  // its /tmp, seen from here
  OwnedFd in_, out_, errors_;
  std::string first_;      // the first message, framed
  std::string_view rest_;  // of first_, not sent yet
  bool ready_ = false;
};

}  // namespace gdsd
