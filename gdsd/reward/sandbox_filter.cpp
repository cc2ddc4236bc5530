#include "gdsd/reward/sandbox_filter.h"

#include <asm/ioctls.h>
#include <fcntl.h>
#include <linux/prctl.h>
#include <linux/sched.h>
#include <seccomp.h>

#include <memory>

#include "gdsd/base/check.h"
#include "gdsd/reward/sandbox_fd.h"

namespace gdsd {
namespace {

// Those that this machine does not have are skipped by their name.
constexpr const char* kAllowed[] = {
    // memory
    "brk", "mmap", "mprotect", "munmap", "mremap", "madvise", "mincore", "msync", "membarrier",
    // files
    "read", "write", "readv", "writev", "pread64", "pwrite64", "preadv", "pwritev", "open",
    "openat", "creat", "close", "close_range", "stat", "lstat", "fstat", "newfstatat", "statx",
    "statfs", "fstatfs", "lseek", "access", "faccessat", "faccessat2", "getdents", "getdents64",
    "getcwd", "chdir", "fchdir", "rename", "renameat", "renameat2", "mkdir", "mkdirat", "rmdir",
    "unlink", "unlinkat", "link", "linkat", "symlink", "symlinkat", "readlink", "readlinkat",
    "chmod", "fchmod", "fchmodat", "umask", "truncate", "ftruncate", "fallocate", "fadvise64",
    "fsync", "fdatasync", "flock", "dup", "dup2", "dup3", "pipe", "pipe2", "utimensat", "sendfile",
    "copy_file_range", "getxattr", "lgetxattr", "fgetxattr", "listxattr",
    // waiting
    "poll", "ppoll", "select", "pselect6", "epoll_create1", "epoll_ctl", "epoll_wait",
    "epoll_pwait", "eventfd2", "futex", "nanosleep", "clock_nanosleep", "sched_yield",
    "restart_syscall", "pause",
    // time and signals: there is nobody else to send one to
    "gettimeofday", "time", "times", "clock_gettime", "clock_getres", "alarm", "setitimer",
    "getitimer", "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "rt_sigpending", "rt_sigsuspend",
    "rt_sigtimedwait", "sigaltstack", "kill", "tkill", "tgkill",
    // about oneself
    "getpid", "getppid", "gettid", "getuid", "geteuid", "getgid", "getegid", "getgroups",
    "getresuid", "getresgid", "getpgrp", "getpgid", "getsid", "getpriority", "getrusage",
    "getrlimit", "setrlimit", "prlimit64", "sysinfo", "uname", "getcpu", "getrandom",
    "sched_getaffinity", "sched_getparam", "sched_getscheduler", "capget", "arch_prctl",
    "set_tid_address", "set_robust_list", "get_robust_list", "rseq", "wait4", "waitid", "execve",
    "exit", "exit_group"};

void add(scmp_filter_ctx filter, const char* name, std::initializer_list<scmp_arg_cmp> when = {}) {
  const int number = seccomp_syscall_resolve_name(name);
  if (number < 0) return;  // of another machine
  const int error = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, number,
                                           static_cast<unsigned>(when.size()), when.begin());
  check(error == 0, "[sandbox] seccomp refuses a rule about ", name, ", error ", -error, ".");
}

scmp_arg_cmp equal(unsigned argument, uint64_t value) {
  return {argument, SCMP_CMP_MASKED_EQ, 0xffffffffU, value};
}

void add_rules(scmp_filter_ctx filter, bool may_fork) {
  for (const char* name : kAllowed) add(filter, name);
  // clone3 hides its flags behind a pointer: libc falls back on clone.
  constexpr uint64_t kNew = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC |
                            CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET;
  const uint64_t thread = may_fork ? 0 : CLONE_THREAD;
  add(filter, "clone", {{0, SCMP_CMP_MASKED_EQ, kNew | thread, thread}});
  for (const uint64_t request : {TCGETS, TIOCGWINSZ, FIONREAD, FIONBIO, FIOCLEX, FIONCLEX})
    add(filter, "ioctl", {equal(1, request)});
  // Not the size of a pipe: the kernel has room for so many of a user.
  for (const uint64_t what :
       {F_DUPFD, F_DUPFD_CLOEXEC, F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_GETLK, F_SETLK, F_SETLKW})
    add(filter, "fcntl", {equal(1, what)});
  // Not the signal that the host's death sends.
  for (const uint64_t what : {PR_SET_NAME, PR_GET_NAME}) add(filter, "prctl", {equal(0, what)});
}

}  // namespace

std::string seccomp_filter(bool may_fork) {
  const std::unique_ptr<void, void (*)(void*)> filter(seccomp_init(SCMP_ACT_ERRNO(ENOSYS)),
                                                      seccomp_release);
  check(filter != nullptr, "[sandbox] libseccomp cannot make a filter for this machine.");
  add_rules(filter.get(), may_fork);
  const OwnedFd file = memory_file("");
  const int error = seccomp_export_bpf(filter.get(), file.get());
  const std::string bytes = error == 0 ? read_memory_file(file) : "";
  check(!bytes.empty(), "[sandbox] seccomp_export_bpf failed, error ", -error, ".");
  return bytes;
}

}  // namespace gdsd
