// Options of judges that are programs, or run some: members of the options of a task.
#pragma once

#include <string>

#include "gdsd/base/fields.h"

namespace gdsd {

/// Where programs that a model wrote are run: gdsd/reward/sandbox.h.
struct SandboxOptions {
  int64_t workers = 0;
  double seconds = 10;
  double program_seconds = 30;
  int64_t memory_mb = 512;
  int64_t files_mb = 16;
  int64_t answer_kb = 4096;
  std::string python = "/usr/bin/python3";
  std::string bubblewrap = "bwrap";

  template <class F>
  void fields(F&& f) {
    f("workers", workers, "programs that run at a time; 0: as many as cores, 16 at most");
    f("seconds", seconds, "of wall time a test may take; loading the program counts as one");
    f("program_seconds", program_seconds, "all tests of a program together");
    f("memory_mb", memory_mb, "address space of a program");
    f("files_mb", files_mb, "what a program may write to its own /tmp");
    f("answer_kb", answer_kb, "longest value that a function may return");
    f("python", python, "the interpreter, a path below /usr");
    f("bubblewrap", bubblewrap, "the program bwrap");
  }
  void validate() const {
    check_count(workers, "workers", 0, 1024);
    check_field(seconds > 0 && seconds <= 3600, "seconds", "got ", seconds, ", expected 0 … 3600.");
    check_field(program_seconds > 0 && program_seconds <= 3600, "program_seconds", "got ",
                program_seconds, ", expected 0 … 3600.");
    check_count(memory_mb, "memory_mb", 64, 1 << 20);
    check_count(files_mb, "files_mb", 1, 1 << 16);
    check_count(answer_kb, "answer_kb", 1, 1 << 20);
    check_field(python.starts_with("/usr/"), "python", "got '", python,
                "', expected a path below /usr: nothing else is in the sandbox.");
  }
};

/// A reward that is a program of the user's own: gdsd/reward/external.h.
struct ExternalOptions {
  std::string command = {};
  double timeout = 60.0;

  template <class F>
  void fields(F&& f) {
    f("command", command,
      "program and arguments, split at spaces; no shell reads them. It is told attempts and "
      "answers "
      "scores, a line of JSON each");
    f("timeout", timeout, "seconds it may take for one score");
  }
  void validate() const {
    check_field(timeout > 0 && timeout <= 86400, "timeout", "got ", timeout,
                ", expected 0 … 86400 seconds.");
  }
};

}  // namespace gdsd
