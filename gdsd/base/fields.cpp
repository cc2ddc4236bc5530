#include "gdsd/base/fields.h"

#include <algorithm>

namespace gdsd {

namespace {

/// Insertions, deletions, replacements and swaps of neighbours between two words
/// (Damerau-Levenshtein, no part edited twice).
size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<size_t>> d(a.size() + 1, std::vector<size_t>(b.size() + 1));
  for (size_t i = 0; i <= a.size(); ++i) d[i][0] = i;
  for (size_t j = 0; j <= b.size(); ++j) d[0][j] = j;
  for (size_t i = 1; i <= a.size(); ++i)
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replace = d[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
      d[i][j] = std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, replace});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
    }
  return d[a.size()][b.size()];
}

std::string_view leaf(std::string_view path) { return path.substr(path.rfind('.') + 1); }
std::string_view section_of(std::string_view path) {
  return path.substr(0, path.size() - leaf(path).size());
}

}  // namespace

std::string refusal(std::string_view text, const std::string& type) {
  const std::string expected = concat("got '", text, "', expected ", type);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (end != text.data() + text.size() || text.empty()) return expected + ".";
  const bool beyond_double = error == std::errc::result_out_of_range;
  const bool beyond_integer =
      type.starts_with("integer") && std::abs(value) >= 0x1p63 && std::isfinite(value);
  if (!beyond_double && !beyond_integer) return expected + ".";
  const bool tiny = beyond_double && text.find_first_of("eE") + 1 == text.rfind('-');
  return expected + (tiny ? "; this one is too small." : "; this one is too large.");
}

std::string suggestion(std::string_view path, const std::vector<Field>& known) {
  const std::string_view word = leaf(path), section = section_of(path);
  const size_t far = std::min<size_t>(3, 1 + word.size() / 2);  // more edits than that is no typo
  size_t best = 2 * far;
  std::string found;
  for (const Field& field : known) {
    const bool elsewhere = section_of(field.path) != section;
    const bool is_beginning = !elsewhere && word.size() > 2 && leaf(field.path).starts_with(word);
    const size_t distance = is_beginning ? 0 : edit_distance(word, leaf(field.path));
    if (distance >= far || 2 * distance + elsewhere >= best) continue;
    best = 2 * distance + elsewhere;
    found = field.path;
  }
  return found.empty() ? "" : "Did you mean '" + found + "'?";
}

}  // namespace gdsd
