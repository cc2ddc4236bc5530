// A child process and three pipes.
#include "gdsd/reward/line_process.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <thread>
#include <utility>

#include "gdsd/base/check.h"
#include "gdsd/reward/sandbox_fd.h"
#include "gdsd/text/python_text.h"

extern char** environ;

namespace gdsd {
namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t kLongestAnswer = 1 << 20, kMostErrors = 2000, kMostRead = 1 << 16;  // bytes

struct Pipe {
  Pipe() {
    check(pipe2(ends.data(), O_CLOEXEC) == 0, "[reward] no pipe: ", std::strerror(errno), ".");
  }
  ~Pipe() {
    for (int end : ends)
      if (end >= 0) close(end);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;

  /// Takes an end out of the pipe's care, non-blocking.
  int keep(size_t which) {
    fcntl(ends[which], F_SETFL, O_NONBLOCK);
    return std::exchange(ends[which], -1);
  }

  std::array<int, 2> ends{-1, -1};  // to read from, to write to
};

/// Starts the program with our signals' defaults and the pipes as its standard streams.
int spawn(const std::vector<std::string>& argv, const Pipe& in, const Pipe& out, const Pipe& err) {
  std::vector<char*> arguments;
  arguments.reserve(argv.size() + 1);
  for (const std::string& a : argv) arguments.push_back(const_cast<char*>(a.c_str()));
  arguments.push_back(nullptr);

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in.ends[0], 0);
  posix_spawn_file_actions_adddup2(&actions, out.ends[1], 1);
  posix_spawn_file_actions_adddup2(&actions, err.ends[1], 2);
  posix_spawn_file_actions_addclosefrom_np(&actions, 3);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes,
                           POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
  sigset_t signals;
  sigemptyset(&signals);
  posix_spawnattr_setsigmask(&attributes, &signals);
  for (int s : {SIGPIPE, SIGINT, SIGTERM, SIGHUP}) sigaddset(&signals, s);
  posix_spawnattr_setsigdefault(&attributes, &signals);

  pid_t pid = -1;
  const int error =
      posix_spawnp(&pid, argv[0].c_str(), &actions, &attributes, arguments.data(), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  check(error == 0, "[reward] cannot start '", argv[0], "': ", std::strerror(error), ".");
  return pid;
}

}  // namespace

LineProcess::LineProcess(const std::vector<std::string>& argv) {
  check(!argv.empty(), "[reward] the command is empty, expected a program.");
  Pipe in, out, err;
  pid_ = spawn(argv, in, out, err);
  in_ = in.keep(1);
  out_ = out.keep(0);
  err_ = err.keep(0);
}

LineProcess::~LineProcess() { end(); }

void LineProcess::read_some(int descriptor, std::string& into, bool& open) {
  std::array<char, 1 << 14> buffer;
  const ssize_t n = read(descriptor, buffer.data(), buffer.size());
  if (n > 0) into.append(buffer.data(), n);
  if (n == 0) open = false;
}

bool LineProcess::write_some(std::string_view& rest) {
  const ssize_t n = write_quietly(in_, rest);
  if (n > 0) rest.remove_prefix(n);
  return n >= 0 || errno == EAGAIN || errno == EINTR;
}

LineProcess::Reply LineProcess::ask(std::string_view line, std::chrono::milliseconds limit) {
  const auto until = Clock::now() + limit;
  const std::string request = std::string(line) + "\n";
  std::string_view rest = request;
  for (;;) {
    if (const size_t end = output_.find('\n'); end != std::string::npos && rest.empty()) {
      Reply reply{.outcome = Outcome::kAnswered, .line = output_.substr(0, end)};
      output_.erase(0, end + 1);
      return reply;
    }
    if (output_.size() > kLongestAnswer) return {Outcome::kAnswered, std::exchange(output_, "")};
    if (!out_open_) return {Outcome::kEnded, ""};
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now());
    if (left.count() <= 0) return {Outcome::kTooSlow, ""};
    std::array<pollfd, 3> wait{{{out_, POLLIN, 0},
                                {err_open_ ? err_ : -1, POLLIN, 0},
                                {rest.empty() ? -1 : in_, POLLOUT, 0}}};
    poll(wait.data(), wait.size(), static_cast<int>(std::min<int64_t>(left.count(), 1 << 30)));
    if (wait[0].revents) read_some(out_, output_, out_open_);
    if (wait[1].revents) read_some(err_, errors_, err_open_);
    if (errors_.size() > kMostErrors) errors_.erase(0, errors_.size() - kMostErrors);
    if (wait[2].revents && !write_some(rest)) return {Outcome::kEnded, ""};
  }
}

std::string LineProcess::end() {
  using namespace std::chrono_literals;
  if (pid_ < 0) return "";
  close(in_);
  siginfo_t info{};
  for (const auto until = Clock::now() + 1s; Clock::now() < until;) {
    // WNOWAIT: until it is reaped its id, and so its group's, is nobody else's.
    const bool asked = waitid(P_PID, pid_, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
    if (!asked || info.si_pid == pid_) break;
    std::this_thread::sleep_for(2ms);
  }
  kill(-pid_, SIGKILL);
  int status = 0;
  while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) continue;
  // Not to its end: a process that left the group may write for ever.
  const size_t most = errors_.size() + kMostRead;
  for (size_t before = 1; err_open_ && before != errors_.size() && errors_.size() < most;) {
    before = errors_.size();
    read_some(err_, errors_, err_open_);
  }
  if (errors_.size() > kMostErrors) errors_.erase(0, errors_.size() - kMostErrors);
  close(out_);
  close(err_);
  pid_ = -1;
  const std::string how = WIFEXITED(status) ? concat("exit status ", WEXITSTATUS(status))
                                            : concat("signal ", WTERMSIG(status));
  const std::string_view words = python_strip(errors_);
  return words.empty() ? how : concat(how, "; its last words: ", words);
}

}  // namespace gdsd
