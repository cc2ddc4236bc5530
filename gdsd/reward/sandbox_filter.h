// Which system calls a sandboxed process may make.
#pragma once

#include <string>

namespace gdsd {

/// A seccomp program (BPF, as `bwrap --seccomp` reads it) for this machine: a list of what is allowed,
/// everything else is answered with "no such system call". Allowed are memory, files, time, signals
/// and threads; not sockets, processes (but see `may_fork`), tracing, mounts, namespaces, keys, BPF,
/// io_uring, memory files, nor terminals' ioctls. Throws Error where the kernel's headers lack seccomp.
std::string seccomp_filter(bool may_fork);

}  // namespace gdsd
