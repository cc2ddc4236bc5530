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

/// Holds back the signals that end this process and those of its children's ends; `wait` takes
/// them.
class HeldSignals {
 public:
  HeldSignals() {
    std::signal(SIGCHLD, SIG_DFL);  // ignored by whoever started this, it would never come
    sigemptyset(&held_);
    for (int signal : {SIGINT, SIGTERM, SIGCHLD}) sigaddset(&held_, signal);
    sigprocmask(SIG_BLOCK, &held_, &before_);
  }
  ~HeldSignals() { release(); }
  HeldSignals(const HeldSignals&) = delete;
  HeldSignals& operator=(const HeldSignals&) = delete;

  int wait() const {
    int signal = 0;
    sigwait(&held_, &signal);
    return signal;
  }
  void release() const { sigprocmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t held_, before_;
};

/// Becomes the job; does not return.
[[noreturn]] void become(const Job& job, int log, pid_t parent, const HeldSignals& signals) {
  setpgid(0, 0);  // an interrupt of the terminal is for the parent, who passes it on
  signals.release();
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

pid_t start(const Job& job, const HeldSignals& signals) {
  std::filesystem::create_directories(job.log.parent_path());
  const int log = open(job.log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  check(log >= 0, job.log.string(), ": cannot be written: ", std::strerror(errno), ".");
  const pid_t parent = getpid(), pid = fork();
  if (pid == 0) become(job, log, parent, signals);
  close(log);
  check(pid > 0, "[jobs] cannot start another process: ", std::strerror(errno), ".");
  return pid;
}

int exit_code(int status) {
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM) return kExitInterrupted;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace

bool run_jobs(const std::vector<Job>& jobs, int at_once,
              const std::function<void(size_t, int)>& done) {
  const HeldSignals signals;
  std::map<pid_t, size_t> running;
  size_t next = 0;
  bool go_on = true;
  while (!running.empty() || (go_on && next < jobs.size())) {
    for (; go_on && next < jobs.size() && running.size() < static_cast<size_t>(at_once); ++next)
      running[start(jobs[next], signals)] = next;
    if (const int signal = signals.wait(); signal != SIGCHLD) {
      go_on = false;
      for (const auto& [pid, job] : running) kill(pid, signal);
    }
    int status = 0;
    for (pid_t pid = waitpid(-1, &status, WNOHANG); pid > 0; pid = waitpid(-1, &status, WNOHANG)) {
      const auto found = running.find(pid);
      if (found == running.end()) continue;
      const int code = exit_code(status);
      if (code == kExitInterrupted) go_on = false;
      done(found->second, code);
      running.erase(found);
    }
  }
  return go_on;
}

}  // namespace gdsd
