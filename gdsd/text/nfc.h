// Unicode normalisation form C: composed characters, e + U+0301 becomes é.
#pragma once

#include <string>
#include <string_view>

namespace gdsd {

/// NFC of valid UTF-8, by the tables of utf8proc (2.8: Unicode 14, as Python 3.11). Time grows as
/// n log n whatever the text.
std::string nfc(std::string_view text);

}  // namespace gdsd
