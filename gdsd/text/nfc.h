// Unicode normalisation form C: composed characters, e + U+0301 becomes é.
#pragma once

#include <string>
#include <string_view>

namespace gdsd {

/// NFC of valid UTF-8 as Unicode 14 has it (Python 3.11), by the tables of utf8proc 2.8. Time grows
/// as n log n whatever the text.
std::string nfc(std::string_view text);

/// The library whose tables these are, and the Unicode it knows.
std::string unicode_library();

}  // namespace gdsd
