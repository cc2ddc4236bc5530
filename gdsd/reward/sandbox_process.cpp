#include "gdsd/reward/sandbox_process.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <spawn.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fstream>
#include <utility>
#include <vector>

#include "gdsd/base/json.h"
#include "gdsd/reward/sandbox_command.h"

namespace gdsd {
namespace {

constexpr fsfilcnt_t kMostFiles = 10'000;

/// The same file under a number above those that the child gives a meaning.
OwnedFd lifted(const OwnedFd& low) {
  OwnedFd high(fcntl(low.get(), F_DUPFD_CLOEXEC, kInfo + 1));
  check_call(high.get() >= 0, "fcntl(F_DUPFD_CLOEXEC)");
  return high;
}

/// A descriptor of a process, which no other process can come to stand for.
OwnedFd handle_of(pid_t process) {
  return OwnedFd(static_cast<int>(syscall(SYS_pidfd_open, process, 0)));
}

struct Pipe {
  OwnedFd read, write;
};

Pipe make_pipe() {
  std::array<int, 2> ends{};
  check_call(pipe2(ends.data(), O_CLOEXEC) == 0, "pipe2");
  const OwnedFd read(ends[0]), write(ends[1]);
  return {lifted(read), lifted(write)};
}

/// posix_spawn's two objects.
struct Spawn {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;

  Spawn() {
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    sigset_t signals;
    sigemptyset(&signals);
    posix_spawnattr_setsigmask(&attributes, &signals);
    sigfillset(&signals);
    posix_spawnattr_setsigdefault(&attributes, &signals);
    // A group of its own: the terminal's Ctrl-C must not fail the programs that are being judged.
    posix_spawnattr_setflags(
        &attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  ~Spawn() {
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
  }
  Spawn(const Spawn&) = delete;
  Spawn& operator=(const Spawn&) = delete;

  pid_t run(std::vector<std::string> command) {
    std::vector<char*> arguments;
    for (std::string& word : command) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    std::string path = "PATH=/usr/local/bin:/usr/bin:/bin";
    const std::array<char*, 2> environment = {path.data(), nullptr};
    pid_t child = -1;
    const int error = posix_spawnp(&child, arguments[0], &actions, &attributes, arguments.data(),
                                   environment.data());
    check(error == 0, "[sandbox] cannot start ", command[0], ": ", std::strerror(error),
          command[0] == "setpriv"
              ? ". Root's programs run as nobody, by setpriv: apt-get install util-linux."
              : ". Programs are run under bubblewrap: apt-get install bubblewrap.");
    return child;
  }
};

/// Waits until the descriptor can be read or written; false at the deadline.
bool wait_for(int descriptor, short what, SandboxClock::time_point deadline) {
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - SandboxClock::now());
    pollfd one{descriptor, what, 0};
    const int ready =
        poll(&one, 1, static_cast<int>(std::clamp<int64_t>(left.count(), 0, 1 << 30)));
    if (ready > 0) return true;
    if (ready == 0 && left.count() <= 0) return false;
  }
}

/// The process number of Python out of bwrap's report, or -1 if bwrap ended without one.
pid_t read_info(const OwnedFd& info) {
  std::string text;
  std::array<char, 512> part;
  const auto deadline = SandboxClock::now() + std::chrono::seconds(10);
  while (wait_for(info.get(), POLLIN, deadline)) {
    const ssize_t n = read(info.get(), part.data(), part.size());
    if (n == 0) break;
    if (n < 0 && errno != EINTR) break;
    if (n > 0) text.append(part.data(), static_cast<size_t>(n));
  }
  const auto report = nlohmann::json::parse(text, nullptr, false);
  const bool told =
      report.is_object() && report.contains("child-pid") && report["child-pid"].is_number_integer();
  return told ? report["child-pid"].get<pid_t>() : -1;
}

}  // namespace

ChildProcess::ChildProcess(pid_t started) : number(started), handle(handle_of(started)) {}

ChildProcess::~ChildProcess() {
  ::kill(number, SIGKILL);
  while (waitpid(number, nullptr, 0) < 0 && errno == EINTR) {
  }
}

SandboxProcess::SandboxProcess(const SandboxStart& start) : frames_(start.most_bytes) {
  Pipe in = make_pipe(), out = make_pipe(), errors = make_pipe(), info = make_pipe();
  const OwnedFd filter = lifted(memory_file(start.filter));
  Spawn spawn;
  posix_spawn_file_actions_addopen(&spawn.actions, 0, "/dev/null", O_RDWR, 0);
  posix_spawn_file_actions_adddup2(&spawn.actions, 0, 1);
  const std::array<std::pair<int, int>, 5> moved = {{{errors.write.get(), kErrors},
                                                     {in.read.get(), kIn},
                                                     {out.write.get(), kOut},
                                                     {filter.get(), kFilter},
                                                     {info.write.get(), kInfo}}};
  for (const auto& [from, to] : moved) posix_spawn_file_actions_adddup2(&spawn.actions, from, to);
  posix_spawn_file_actions_addclosefrom_np(&spawn.actions, kInfo + 1);
  outer_ = std::make_unique<ChildProcess>(spawn.run(sandbox_command(start)));
  check_call(outer_->handle.get() >= 0, "pidfd_open");
  in_ = std::move(in.write);
  out_ = std::move(out.read);
  errors_ = std::move(errors.read);
  info.write.reset();
  for (const OwnedFd* end : {&in_, &out_, &errors_}) fcntl(end->get(), F_SETFL, O_NONBLOCK);
  info_ = std::move(info.read);
  if (!start.first.empty()) rest_ = first_ = frame(start.first);
  send(rest_, SandboxClock::now());  // the pipe may have no room for all of it
}

bool SandboxProcess::exited() const {
  return wait_for(outer_->handle.get(), POLLIN, SandboxClock::now());
}

void SandboxProcess::learn_inner() {
  if (info_.get() < 0) return;
  const pid_t child = read_info(info_);
  info_.reset();
  if (child <= 0) return;
  OwnedFd handle = handle_of(child);
  if (exited()) return;  // the number may be another's by now
  inner_ = std::move(handle);
  files_ = concat("/proc/", child, "/root/tmp");
  // Where memory is short the kernel should choose this process; it is no matter if this fails.
  std::ofstream(concat("/proc/", child, "/oom_score_adj")) << 1000;
}

void SandboxProcess::kill() {
  learn_inner();
  // Python dies, and bwrap after it: in this order no process is left for init to bury.
  if (inner_.get() < 0 || syscall(SYS_pidfd_send_signal, inner_.get(), SIGKILL, nullptr, 0) != 0)
    ::kill(outer_->number, SIGKILL);
}

SandboxProcess::~SandboxProcess() {
  kill();
  wait_for(outer_->handle.get(), POLLIN, SandboxClock::now() + std::chrono::seconds(2));
}

SandboxProcess::Got SandboxProcess::read(std::string& payload, SandboxClock::time_point deadline) {
  std::array<char, 65536> part;
  for (;;) {
    if (auto message = frames_.next()) {
      payload = std::move(*message);
      return Got::kFrame;
    }
    if (frames_.too_long()) return Got::kTooLong;
    const auto soon = SandboxClock::now() + std::chrono::milliseconds(100);
    if (!wait_for(out_.get(), POLLIN, std::min(deadline, soon))) {
      if (soon >= deadline) return Got::kLate;
      if (has_many_files()) return Got::kManyFiles;
      continue;
    }
    const ssize_t n = ::read(out_.get(), part.data(), part.size());
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) return Got::kClosed;
    if (n > 0) frames_.add({part.data(), static_cast<size_t>(n)});
  }
}

SandboxProcess::Got SandboxProcess::write(std::string_view payload,
                                          SandboxClock::time_point deadline) {
  const std::string bytes = frame(payload);
  std::string_view rest = bytes;
  return send(rest, deadline);
}

/// Takes from `rest` what it sends.
SandboxProcess::Got SandboxProcess::send(std::string_view& rest,
                                         SandboxClock::time_point deadline) {
  while (!rest.empty()) {
    if (!wait_for(in_.get(), POLLOUT, deadline)) return Got::kLate;
    const ssize_t n = write_quietly(in_.get(), rest);
    if (n < 0 && errno != EAGAIN && errno != EINTR) return Got::kClosed;
    if (n > 0) rest.remove_prefix(static_cast<size_t>(n));
  }
  return Got::kFrame;
}

/// An empty file costs none of the bytes that its /tmp is limited to, but memory of the kernel.
bool SandboxProcess::has_many_files() const {
  struct statvfs found {};
  return statvfs(files_.c_str(), &found) == 0 && found.f_files - found.f_ffree > kMostFiles;
}

void SandboxProcess::await_ready() {
  if (ready_) return;
  learn_inner();
  std::string payload;
  const auto deadline = SandboxClock::now() + std::chrono::seconds(30);
  Got got = send(rest_, deadline);
  if (got == Got::kFrame) got = read(payload, deadline);
  check(got == Got::kFrame, "[sandbox] no contained process could be started",
        got == Got::kLate ? " within 30 s" : "", ": ", complaint(),
        ". It needs bubblewrap, user namespaces, and Python 3.11 or newer under /usr.");
  ready_ = true;
}

std::string SandboxProcess::complaint() const {
  std::string text(2000, '\0');
  const ssize_t n = ::read(errors_.get(), text.data(), text.size());
  text.resize(static_cast<size_t>(std::max<ssize_t>(n, 0)));
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text.empty() ? "it said nothing" : text;
}

}  // namespace gdsd
