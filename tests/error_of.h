// For tests of errors.
#pragma once

#include <functional>
#include <string>

#include "gdsd/base/check.h"

namespace gdsd {

/// What the Error says that f throws, or "no error".
inline std::string error_of(const std::function<void()>& f) {
  try {
    f();
  } catch (const Error& e) {
    return e.what();
  }
  return "no error";
}

}  // namespace gdsd
