// A sandbox for tests, or why there is none.
#pragma once

#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>

#include "gdsd/reward/sandbox.h"

namespace gdsd {

/// Null, and why, where bubblewrap itself does not work on this machine. Where it does, a sandbox that
/// refuses is a failure: the Error is passed on.
inline std::unique_ptr<Sandbox> sandbox_here(const SandboxOptions& options, std::string& why_not) {
  try {
    return std::make_unique<Sandbox>(options);
  } catch (const Error& e) {
    if (std::system("bwrap --unshare-all --ro-bind / / true") == 0)
      throw std::runtime_error(e.what());
    why_not = e.what();
    return nullptr;
  }
}

}  // namespace gdsd
