#include "cli/jobs.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <map>

#include "cli/verbs.h"
#include "gdsd/base/check.h"

namespace gdsd {

namespace {

/// Becomes the job; does not return.
[[noreturn]] void become(const Job& job, int log, pid_t parent) {
  std::signal(SIGINT, SIG_DFL);
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (getppid() != parent) _exit(kExitInterrupted);  // it ended before it could tell
  dup2(log, STDOUT_FILENO);
  dup2(log, STDERR_FILENO);
  std::vector<char*> words{const_cast<char*>("gdsd")};
  for (const std::string& word : job.arguments) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  execv("/proc/self/exe", words.data());
  _exit(kExitFault);
}

pid_t start(const Job& job) {
  std::filesystem::create_directories(job.log.parent_path());
  const int log = open(job.log.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  check(log >= 0, job.log.string(), ": cannot be written: ", std::strerror(errno), ".");
  const pid_t parent = getpid(), pid = fork();
  if (pid == 0) become(job, log, parent);
  close(log);
  check(pid > 0, "[jobs] cannot start another process: ", std::strerror(errno), ".");
  return pid;
}

int exit_code(int status) {
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/// Ignores the terminal's interrupts while it lives.
struct NoInterrupts {
  struct sigaction before = {};
  NoInterrupts() {
    struct sigaction ignore = {};
    ignore.sa_handler = SIG_IGN;
    sigaction(SIGINT, &ignore, &before);
  }
  ~NoInterrupts() { sigaction(SIGINT, &before, nullptr); }
};

}  // namespace

bool run_jobs(const std::vector<Job>& jobs, int at_once,
              const std::function<void(size_t, int)>& done) {
  const NoInterrupts no_interrupts;
  std::map<pid_t, size_t> running;
  size_t next = 0;
  bool go_on = true;
  while (!running.empty() || (go_on && next < jobs.size())) {
    while (go_on && next < jobs.size() && running.size() < static_cast<size_t>(at_once)) {
      running[start(jobs[next])] = next;
      ++next;
    }
    int status = 0;
    const pid_t pid = waitpid(-1, &status, 0);
    const auto found = running.find(pid);
    if (found == running.end()) continue;
    const int code = exit_code(status);
    if (code == kExitInterrupted || code == 128 + SIGTERM) go_on = false;
    done(found->second, code);
    running.erase(found);
  }
  return go_on;
}

}  // namespace gdsd
