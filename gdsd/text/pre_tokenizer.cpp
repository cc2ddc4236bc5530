#include "gdsd/text/pre_tokenizer.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <algorithm>
#include <cstdint>
#include <span>
#include <stdexcept>

#include "gdsd/base/check.h"
#include "gdsd/text/utf8.h"

namespace gdsd {
namespace {

struct CodeRange {
  char32_t first, last;
};

#include "gdsd/text/later_letters.inc"

/// \s of both references, as parts of a class. PCRE2's has U+180E as well.
constexpr std::string_view kSpaces =
    R"(\t-\r\x20\x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000})";

bool lies_in(char32_t code, std::span<const CodeRange> ranges) {
  const auto above = std::upper_bound(ranges.begin(), ranges.end(), code,
                                      [](char32_t c, const CodeRange& r) { return c < r.first; });
  return above != ranges.begin() && code <= (above - 1)->last;
}

bool has_later_letter(std::string_view text) {
  for (size_t at = skip_ascii(text, 0); at < text.size(); at = skip_ascii(text, at)) {
    const Utf8Step step = utf8_step(text, at);
    const char32_t code = utf8_code(text.substr(at, step.length));
    if (lies_in(code, kLaterLetters) || lies_in(code, kLaterNumbers)) return true;
    at += step.length;
  }
  return false;
}

/// The ranges as parts of a class.
std::string class_parts(std::span<const CodeRange> ranges) {
  std::ostringstream parts;
  for (const CodeRange& r : ranges)
    parts << std::hex << "\\x{" << static_cast<uint32_t>(r.first) << "}-\\x{"
          << static_cast<uint32_t>(r.last) << "}";
  return parts.str();
}

/// The pattern with the classes in which PCRE2 differs from the reference written out.
std::string written_out(std::string_view pattern, Letters letters) {
  const bool later = letters == Letters::kPythonRegex;
  std::string out;
  bool in_class = false;
  while (!pattern.empty()) {
    size_t taken = pattern[0] == '\\' ? 2 : 1;
    std::string parts;  // of a class
    if (pattern.starts_with(R"(\S)")) {
      out += concat("[^", kSpaces, "]");
    } else if (pattern.starts_with(R"(\s)")) {
      parts = kSpaces;
    } else if (later && pattern.starts_with(R"(\p{L})")) {
      parts = R"(\p{L})" + class_parts(kLaterLetters);
      taken = 5;
    } else if (later && pattern.starts_with(R"(\p{N})")) {
      parts = R"(\p{N})" + class_parts(kLaterNumbers);
      taken = 5;
    } else {
      if (pattern[0] == '[' || pattern[0] == ']') in_class = pattern[0] == '[';
      out += pattern.substr(0, taken);
    }
    if (!parts.empty()) out += in_class ? parts : concat("[", parts, "]");
    pattern.remove_prefix(taken);
  }
  return out;
}

[[noreturn]] void fail(int code) {
  PCRE2_UCHAR message[128] = {};
  pcre2_get_error_message(code, message, sizeof message);
  throw std::runtime_error(concat("[pre_tokenizer] PCRE2: ", reinterpret_cast<char*>(message)));
}

struct FreeMatch {
  void operator()(pcre2_match_data* data) const { pcre2_match_data_free(data); }
};

}  // namespace

class PreTokenizer::Pattern {
 public:
  explicit Pattern(const std::string& text) {
    int error = 0;
    size_t where = 0;
    code_ = pcre2_compile(reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(),
                          PCRE2_UTF | PCRE2_UCP | PCRE2_ANCHORED | PCRE2_NEVER_BACKSLASH_C, &error,
                          &where, nullptr);
    if (!code_) fail(error);
    jit_ = pcre2_jit_compile(code_, PCRE2_JIT_COMPLETE) == 0;
    limits_ = pcre2_match_context_create(nullptr);
    if (!limits_) throw std::bad_alloc();
    pcre2_set_match_limit(limits_, UINT32_MAX);
    pcre2_set_depth_limit(limits_, UINT32_MAX);
    pcre2_set_heap_limit(limits_, UINT32_MAX);
  }
  ~Pattern() {
    pcre2_match_context_free(limits_);
    pcre2_code_free(code_);
  }
  Pattern(const Pattern&) = delete;
  Pattern& operator=(const Pattern&) = delete;

  std::unique_ptr<pcre2_match_data, FreeMatch> match_data() const {
    std::unique_ptr<pcre2_match_data, FreeMatch> data(
        pcre2_match_data_create_from_pattern(code_, nullptr));
    if (!data) throw std::bad_alloc();
    return data;
  }

  /// The end of the match that begins at `at`.
  size_t match(std::string_view text, size_t at, pcre2_match_data* data) const {
    const auto* bytes = reinterpret_cast<PCRE2_SPTR>(text.data());
    int found = PCRE2_ERROR_JIT_STACKLIMIT;
    if (jit_) found = pcre2_jit_match(code_, bytes, text.size(), at, 0, data, limits_);
    // The interpreter has the heap for a stack.
    if (found == PCRE2_ERROR_JIT_STACKLIMIT)
      found = pcre2_match(code_, bytes, text.size(), at, PCRE2_NO_JIT | PCRE2_NO_UTF_CHECK, data,
                          limits_);
    if (found < 0) fail(found);
    return pcre2_get_ovector_pointer(data)[1];
  }

 private:
  pcre2_code* code_ = nullptr;
  pcre2_match_context* limits_ = nullptr;  ///< none: a run of spaces may be as long as the text
  bool jit_ = false;
};

PreTokenizer::PreTokenizer(std::string_view pattern, Letters letters)
    : plain_(std::make_unique<Pattern>(written_out(pattern, Letters::kUnicode14))) {
  if (letters == Letters::kPythonRegex)
    later_ = std::make_unique<Pattern>(written_out(pattern, letters));
}

PreTokenizer::~PreTokenizer() = default;

void PreTokenizer::split(std::string_view text,
                         const std::function<void(std::string_view)>& piece) const {
  const Pattern& pattern = later_ && has_later_letter(text) ? *later_ : *plain_;
  const auto data = pattern.match_data();
  for (size_t at = 0; at < text.size();) {
    const size_t end = pattern.match(text, at, data.get());
    if (end <= at) throw std::runtime_error("[pre_tokenizer] a match is empty.");
    piece(text.substr(at, end - at));
    at = end;
  }
}

}  // namespace gdsd
