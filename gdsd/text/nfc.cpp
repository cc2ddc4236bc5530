#include "gdsd/text/nfc.h"

#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <span>
#include <stdexcept>
#include <vector>

#include "gdsd/base/check.h"
#include "gdsd/text/utf8.h"

namespace gdsd {
namespace {

constexpr auto kCompose = static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE);

/// Marks of Unicode 15, which utf8proc 2.8 knows. To the reference they are unassigned: nothing
/// composes across them.
constexpr std::array<utf8proc_int32_t, 10> kLaterMarks{0x10efd, 0x10efe, 0x10eff, 0x11f41, 0x11f42,
                                                       0x1e08f, 0x1e4ec, 0x1e4ed, 0x1e4ee, 0x1e4ef};

bool is_later_mark(utf8proc_int32_t code) {
  return code >= kLaterMarks.front() &&
         std::find(kLaterMarks.begin(), kLaterMarks.end(), code) != kLaterMarks.end();
}

/// Below U+0300, the first combining mark, every text is its own NFC: no byte from 0xCC on.
bool is_nfc_by_its_bytes(std::string_view text) {
  return std::none_of(text.begin(), text.end(),
                      [](char c) { return static_cast<unsigned char>(c) >= 0xcc; });
}

/// utf8proc's own errors cannot occur with valid UTF-8 and these options.
utf8proc_ssize_t must(utf8proc_ssize_t result) {
  if (result < 0) throw std::runtime_error(concat("[nfc] ", utf8proc_errmsg(result)));
  return result;
}

/// The canonical decomposition, marks not yet in order.
std::vector<utf8proc_int32_t> decompose(std::string_view text) {
  constexpr auto option = static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_DECOMPOSE);
  std::vector<utf8proc_int32_t> codes;
  codes.reserve(text.size());
  const auto* bytes = reinterpret_cast<const utf8proc_uint8_t*>(text.data());
  for (size_t at = 0; at < text.size();) {
    utf8proc_int32_t code = 0, parts[32];
    at +=
        must(utf8proc_iterate(bytes + at, static_cast<utf8proc_ssize_t>(text.size() - at), &code));
    const utf8proc_ssize_t n = must(utf8proc_decompose_char(code, parts, 32, option, nullptr));
    codes.insert(codes.end(), parts, parts + n);
  }
  return codes;
}

using Codes = std::span<utf8proc_int32_t>;

/// Sorts every run of marks by combining class. utf8proc's own sort is quadratic in a run's length.
void order_marks(Codes codes) {
  const auto rank = [](utf8proc_int32_t code) {
    return utf8proc_get_property(code)->combining_class;
  };
  const auto is_mark = [&](utf8proc_int32_t code) { return rank(code) != 0; };
  for (auto begin = codes.begin(); begin != codes.end();) {
    begin = std::find_if(begin, codes.end(), is_mark);
    const auto end = std::find_if_not(begin, codes.end(), is_mark);
    std::stable_sort(begin, end, [&](auto a, auto b) { return rank(a) < rank(b); });
    begin = end;
  }
}

void append_composed(std::string& out, Codes codes) {
  order_marks(codes);
  const auto size = static_cast<utf8proc_ssize_t>(codes.size());
  const auto left = must(utf8proc_normalize_utf32(codes.data(), size, kCompose));
  for (utf8proc_int32_t code : codes.first(left)) append_utf8(out, static_cast<char32_t>(code));
}

}  // namespace

std::string nfc(std::string_view text) {
  if (is_nfc_by_its_bytes(text)) return std::string(text);
  std::vector<utf8proc_int32_t> codes = decompose(text);
  std::string out;
  out.reserve(text.size());
  for (auto begin = codes.begin(); begin != codes.end();) {
    const auto end = std::find_if(begin, codes.end(), is_later_mark);
    append_composed(out, Codes(begin, end));
    begin = end;
    if (begin != codes.end()) append_utf8(out, static_cast<char32_t>(*begin++));
  }
  return out;
}

std::string unicode_library() {
  return concat("utf8proc ", utf8proc_version(), ", Unicode ", utf8proc_unicode_version());
}

}  // namespace gdsd
