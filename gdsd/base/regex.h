// Regular expressions as Python's `re` reads them, for the patterns that files of others hold.
#pragma once

#include <string>
#include <string_view>

namespace gdsd {

/// Whether `pattern` matches the whole of `text`. Throws Error, beginning with `where`, for a
/// pattern that is malformed or takes too long.
bool full_match(const std::string& pattern, std::string_view text, const std::string& where);

/// The library that patterns are matched with: its version, and what its JIT compiles for.
std::string regex_library();

}  // namespace gdsd
