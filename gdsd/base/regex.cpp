#include "gdsd/base/regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <array>
#include <memory>

#include "gdsd/base/check.h"

namespace gdsd {
namespace {

PCRE2_SPTR bytes_of(std::string_view s) { return reinterpret_cast<PCRE2_SPTR>(s.data()); }

/// Bytes of the UTF-8 character that begins with `lead`.
size_t utf8_length(char lead) {
  const auto c = static_cast<unsigned char>(lead);
  return c < 0x80 ? 1 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;
}

std::string message_of(int error) {
  std::array<PCRE2_UCHAR, 256> message{};
  pcre2_get_error_message(error, message.data(), message.size());
  return reinterpret_cast<const char*>(message.data());
}

}  // namespace

Regex::Regex(const std::string& pattern, unsigned flags) {
  int error = 0;
  PCRE2_SIZE at = 0;
  pcre2_code* code = pcre2_compile(bytes_of(pattern), pattern.size(),
                                   PCRE2_UTF | PCRE2_UCP | (flags & kDotAll ? PCRE2_DOTALL : 0u),
                                   &error, &at, nullptr);
  check(code != nullptr, "[regex] '", pattern, "' is malformed at ", at, ": ", message_of(error));
  code_ = {code, [](void* c) { pcre2_code_free(static_cast<pcre2_code*>(c)); }};
  pcre2_jit_compile(code, PCRE2_JIT_COMPLETE);  // without a JIT it is interpreted
}

std::optional<Regex::Match> Regex::search(std::string_view text, size_t from) const {
  return search(text, from, /*options=*/0);
}

std::optional<Regex::Match> Regex::search(std::string_view text, size_t from,
                                          unsigned options) const {
  const auto* code = static_cast<const pcre2_code*>(code_.get());
  const std::unique_ptr<pcre2_match_data, decltype(&pcre2_match_data_free)> data(
      pcre2_match_data_create_from_pattern(code, nullptr), pcre2_match_data_free);
  const int found =
      pcre2_match(code, bytes_of(text), text.size(), from, options, data.get(), nullptr);
  if (found < 0) return std::nullopt;
  const PCRE2_SIZE* at = pcre2_get_ovector_pointer(data.get());
  Match match;
  for (uint32_t g = 0; g < pcre2_get_ovector_count(data.get()); ++g)
    match.groups.push_back(at[2 * g] == PCRE2_UNSET
                               ? std::nullopt
                               : std::optional(Match::Span{at[2 * g], at[2 * g + 1]}));
  return match;
}

std::vector<Regex::Match> Regex::find_all(std::string_view text) const {
  std::vector<Match> all;
  unsigned options = 0;
  for (size_t from = 0; from <= text.size();) {
    const auto match = search(text, from, options);
    if (!match) break;
    options = PCRE2_NO_UTF_CHECK;  // which takes as long as the text
    all.push_back(*match);
    const auto [begin, end] = *match->groups[0];
    from = end;
    if (begin == end) from += end < text.size() ? utf8_length(text[end]) : 1;
  }
  return all;
}

bool full_match(const std::string& pattern, std::string_view text, const std::string& where) {
  int error = 0;
  PCRE2_SIZE at = 0;
  const std::unique_ptr<pcre2_code, decltype(&pcre2_code_free)> code(
      pcre2_compile(bytes_of(pattern), pattern.size(), PCRE2_ANCHORED | PCRE2_ENDANCHORED, &error,
                    &at, nullptr),
      pcre2_code_free);
  check(code != nullptr, where, ": the pattern '", pattern, "' is malformed at ", at, ": ",
        message_of(error));
  const std::unique_ptr<pcre2_match_data, decltype(&pcre2_match_data_free)> match(
      pcre2_match_data_create_from_pattern(code.get(), nullptr), pcre2_match_data_free);
  error = pcre2_match(code.get(), bytes_of(text), text.size(), 0, 0, match.get(), nullptr);
  check(error >= 0 || error == PCRE2_ERROR_NOMATCH, where, ": the pattern '", pattern,
        "' cannot be matched: ", message_of(error));
  return error >= 0;
}

std::string regex_library() {
  auto text = [](uint32_t what) {
    std::array<char, 256> out{};
    if (pcre2_config(what, nullptr) <= static_cast<int>(out.size())) pcre2_config(what, out.data());
    return std::string(out.data());
  };
  uint32_t jit = 0;
  pcre2_config(PCRE2_CONFIG_JIT, &jit);
  return concat("PCRE2 ", text(PCRE2_CONFIG_VERSION), ", ",
                jit ? "JIT for " + text(PCRE2_CONFIG_JITTARGET) : "no JIT: tokenizers are slow");
}

}  // namespace gdsd
