// UTF-8: where characters end, and what is not one.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace gdsd {

/// What stands at one place of a text.
struct Utf8Step {
  size_t length;  ///< bytes of the character; of what is none, those to be replaced together
  bool valid;
};

/// The character that begins at byte `at` < text.size(). Bytes that are no character are counted as
/// Unicode's "maximal subpart" does (as WHATWG and Python do): the longest beginning of a
/// character, else one byte.
Utf8Step utf8_step(std::string_view text, size_t at);

/// The code point of a valid character, given its bytes.
char32_t utf8_code(std::string_view character);

/// The first byte at or after `at` that is not ASCII, or the end.
size_t skip_ascii(std::string_view text, size_t at);

/// The byte where `text` stops being UTF-8, or npos.
size_t find_invalid_utf8(std::string_view text);

/// The text with U+FFFD for every maximal subpart that is not UTF-8.
std::string replace_invalid_utf8(std::string_view text);

/// Adds a code point, which is not checked, to `text`.
void append_utf8(std::string& text, char32_t code);

}  // namespace gdsd
