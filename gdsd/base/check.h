// Errors a user can cause: a bad option, a corrupt file, a shape that does not fit.
#pragma once

#include <sstream>
#include <stdexcept>
#include <string>

namespace gdsd {

/// Something the user can mend. The command line answers with the message and exit code 2;
/// any other exception is a fault of the program.
struct Error : std::invalid_argument {
  using std::invalid_argument::invalid_argument;
};

/// The parts, one after another, as text.
template <typename... Parts>
std::string concat(const Parts&... parts) {
  std::ostringstream text;
  (text << ... << parts);
  return text.str();
}

/// Throws Error with the message made of `parts` unless `ok`.
/// Messages read "[where] what is wrong, got X, expected Y."
template <typename... Parts>
void check(bool ok, const Parts&... parts) {
  if (!ok) throw Error(concat(parts...));
}

}  // namespace gdsd
