// The command line that contains a process.
#pragma once

#include <string>
#include <vector>

#include "gdsd/reward/sandbox_process.h"

namespace gdsd {

// Descriptors inside; 0 and 1 are /dev/null. wire.py knows kIn and kOut.
inline constexpr int kErrors = 2, kIn = 3, kOut = 4, kFilter = 5, kInfo = 6;

/// bwrap with everything that it shuts out and lets in, then Python and its source; setpriv before it
/// if this process is root's.
std::vector<std::string> sandbox_command(const SandboxStart& start);

}  // namespace gdsd
