// The text of a countdown puzzle: "3,7,12=16" asks for 16 out of 3, 7 and 12.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace gdsd {

struct CountdownPuzzle {
  std::vector<int64_t> numbers;
  int64_t target = 0;
};

/// Reads one number or more, with commas between them, '=' and the target: each 1 to 18 ASCII digits,
/// leading zeros allowed, as in "03,07,12=16", and a '-' before the target. Throws Error, with the
/// text, for any other.
CountdownPuzzle parse_countdown(std::string_view problem);

}  // namespace gdsd
