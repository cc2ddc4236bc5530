// GPT-2's alphabet: 256 printable characters that stand for the 256 bytes in vocabulary files.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace gdsd {

/// The bytes that a word of a vocabulary file stands for: "Ġthe" is " the". nullopt if a character
/// of it is not in the alphabet. Bytes 33–126, 161–172 and 174–255 are written as the code point of
/// the same number, the other 68, in their order, as U+0100, U+0101, ….
std::optional<std::string> bytes_of_word(std::string_view word);

/// The word of a vocabulary file for these bytes.
std::string word_of_bytes(std::string_view bytes);

}  // namespace gdsd
