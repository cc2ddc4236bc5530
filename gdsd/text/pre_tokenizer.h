// Cuts text into the pieces that byte-pair encoding never merges across, by the model's own regular
// expression, through PCRE2.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace gdsd {

/// The splits of the released tokenizers. They are written differently and cut alike.
inline constexpr std::string_view kLladaSplit =
    R"('(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]++[\r\n]*|)"
    R"(\s*[\r\n]|\s+(?!\S)|\s+)";
inline constexpr std::string_view kQwenSplit =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|)"
    R"(\s*[\r\n]+|\s+(?!\S)|\s+)";

/// Whose letters and numbers: the two differ on code points that Unicode 14 had not assigned.
enum class Letters {
  kUnicode14,    ///< Oniguruma of the tokenizers library 0.20, and PCRE2 10.42 itself
  kPythonRegex,  ///< Python's regex module 2026.11.15, with later letters
};

class PreTokenizer {
 public:
  /// The pattern must match some of any text that is not empty, as the two above do.
  PreTokenizer(std::string_view pattern, Letters letters);
  ~PreTokenizer();
  PreTokenizer(const PreTokenizer&) = delete;
  PreTokenizer& operator=(const PreTokenizer&) = delete;

  /// Calls `piece` with the pieces of valid UTF-8 in order; together they are the text. May be
  /// called from several threads.
  void split(std::string_view text, const std::function<void(std::string_view)>& piece) const;

 private:
  class Pattern;
  std::unique_ptr<Pattern> plain_;
  std::unique_ptr<Pattern> later_;  ///< for text with later letters: its long classes are slow
};

}  // namespace gdsd
