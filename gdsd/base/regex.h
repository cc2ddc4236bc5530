// Regular expressions as Python's `re` reads them: PCRE2 with Unicode properties, so that \d and \s
// are Unicode's, as in Python.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gdsd {

/// A compiled pattern, for texts that are UTF-8. Threads may share one.
class Regex {
 public:
  enum Flags : unsigned { kPlain = 0, kDotAll = 1 };

  /// Throws Error for a malformed pattern.
  explicit Regex(const std::string& pattern, unsigned flags = kPlain);

  /// Where a match and its groups lie in the text: [0] is the whole, [i] group i; nullopt for a group
  /// that took no part.
  struct Match {
    struct Span {
      size_t begin, end;
      bool operator==(const Span&) const = default;
    };
    std::vector<std::optional<Span>> groups;

    std::string_view text(std::string_view of, size_t group = 0) const {
      const auto& g = groups.at(group);
      return g ? of.substr(g->begin, g->end - g->begin) : std::string_view{};
    }
  };

  /// The first match at or after byte `from`; nullopt for none. A text that is not UTF-8, or needs
  /// more backtracking than PCRE2 allows, has none.
  std::optional<Match> search(std::string_view text, size_t from = 0) const;

  /// Every match, left to right, none overlapping: Python's re.finditer.
  std::vector<Match> find_all(std::string_view text) const;

 private:
  std::optional<Match> search(std::string_view text, size_t from, unsigned options) const;

  std::shared_ptr<void> code_;
};

/// Whether `pattern` matches the whole of `text`. Throws Error, beginning with `where`, for a
/// pattern that is malformed or takes too long.
bool full_match(const std::string& pattern, std::string_view text, const std::string& where);

/// The library that patterns are matched with: its version, and what its JIT compiles for.
std::string regex_library();

}  // namespace gdsd
