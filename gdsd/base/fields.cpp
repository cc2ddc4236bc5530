#include "gdsd/base/fields.h"

#include <algorithm>
#include <numeric>

namespace gdsd {

namespace {

/// Insertions, deletions and replacements between two words (Levenshtein).
size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), 0);
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replace = diagonal + (a[i - 1] != b[j - 1]);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replace});
    }
  }
  return row.back();
}

std::string_view leaf(std::string_view path) { return path.substr(path.rfind('.') + 1); }

}  // namespace

std::string suggestion(std::string_view path, const std::vector<Field>& known) {
  const std::string_view word = leaf(path), section = path.substr(0, path.size() - word.size());
  const size_t far = std::min<size_t>(3, 1 + word.size() / 2);  // more edits than that is no typo
  size_t best = 2 * far;
  std::string found;
  for (const Field& field : known) {
    const size_t distance = edit_distance(word, leaf(field.path));
    const bool elsewhere =
        field.path.substr(0, field.path.size() - leaf(field.path).size()) != section;
    if (distance >= far || 2 * distance + elsewhere >= best) continue;
    best = 2 * distance + elsewhere;
    found = field.path;
  }
  return found.empty() ? "" : "Did you mean '" + found + "'?";
}

}  // namespace gdsd
