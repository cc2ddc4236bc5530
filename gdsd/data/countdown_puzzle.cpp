// The text of a countdown puzzle.
#include "gdsd/data/countdown_puzzle.h"

#include <algorithm>
#include <charconv>

#include "gdsd/base/check.h"

namespace gdsd {

CountdownPuzzle parse_countdown(std::string_view problem) {
  constexpr size_t kMostDigits = 18;  // which 64 bits hold
  CountdownPuzzle puzzle;
  bool at_target = false;
  for (std::string_view rest = problem;;) {
    const bool negative = at_target && rest.starts_with('-');
    if (negative) rest.remove_prefix(1);
    const size_t digits = std::min(rest.find_first_not_of("0123456789"), rest.size());
    const char after = digits < rest.size() ? rest[digits] : '\0';
    const bool ended = at_target ? digits == rest.size() : after == ',' || after == '=';
    check(digits > 0 && digits <= kMostDigits && ended, "[countdown] the problem is \"", problem,
          "\", expected one like \"3,7,12=16\".");
    int64_t value = 0;
    std::from_chars(rest.data(), rest.data() + digits, value);
    if (at_target) {
      puzzle.target = negative ? -value : value;
      return puzzle;
    }
    puzzle.numbers.push_back(value);
    at_target = after == '=';
    rest.remove_prefix(digits + 1);
  }
}

}  // namespace gdsd
