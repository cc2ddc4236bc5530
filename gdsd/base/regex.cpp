#include "gdsd/base/regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <array>
#include <memory>

#include "gdsd/base/check.h"

namespace gdsd {

bool full_match(const std::string& pattern, std::string_view text, const std::string& where) {
  auto bytes = [](std::string_view s) { return reinterpret_cast<PCRE2_SPTR>(s.data()); };
  int error = 0;
  PCRE2_SIZE at = 0;
  const std::unique_ptr<pcre2_code, decltype(&pcre2_code_free)> code(
      pcre2_compile(bytes(pattern), pattern.size(), PCRE2_ANCHORED | PCRE2_ENDANCHORED, &error, &at,
                    nullptr),
      pcre2_code_free);
  std::array<PCRE2_UCHAR, 256> message{};
  auto explain = [&] {
    pcre2_get_error_message(error, message.data(), message.size());
    return reinterpret_cast<const char*>(message.data());
  };
  check(code != nullptr, where, ": the pattern '", pattern, "' is malformed at ", at, ": ",
        explain());
  const std::unique_ptr<pcre2_match_data, decltype(&pcre2_match_data_free)> match(
      pcre2_match_data_create_from_pattern(code.get(), nullptr), pcre2_match_data_free);
  error = pcre2_match(code.get(), bytes(text), text.size(), 0, 0, match.get(), nullptr);
  check(error >= 0 || error == PCRE2_ERROR_NOMATCH, where, ": the pattern '", pattern,
        "' cannot be matched: ", explain());
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
