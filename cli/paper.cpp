#include "cli/paper.h"

#include <utf8proc.h>

#include "gdsd/text/utf8.h"

namespace gdsd {

namespace {

constexpr std::string_view kPlain = "\033[0m";

bool is_control(char32_t c) { return c < 0x20 || (c >= 0x7f && c < 0xa0); }

}  // namespace

void Paper::end_line(std::string_view colour) {
  if (!colour.empty()) lines_.back() += kPlain;  // every line can be drawn without those before it
  lines_.emplace_back(colour);
  column_ = 0;
}

void Paper::write(std::string_view text, std::string_view colour) {
  lines_.back() += colour;
  for (size_t at = 0; at < text.size();) {
    const Utf8Step step = utf8_step(text, at);
    const std::string_view bytes = text.substr(at, step.length);
    at += step.length;
    const char32_t code = step.valid ? utf8_code(bytes) : U'\uFFFD';
    if (code == U'\n') {
      end_line(colour);
      continue;
    }
    const bool drawn = step.valid && !is_control(code);
    const auto columns =
        drawn ? static_cast<size_t>(utf8proc_charwidth(static_cast<utf8proc_int32_t>(code))) : 1;
    if (column_ + columns > width_) end_line(colour);
    lines_.back() += drawn ? bytes : " ";
    column_ += columns;
  }
  if (!colour.empty()) lines_.back() += kPlain;
}

std::string Paper::text(size_t most) const {
  const size_t n = lines(most);
  const size_t begin = std::max(marked_ + 1, n) - n;
  std::string out;
  for (size_t i = begin; i < begin + n; ++i) out += (i > begin ? "\n" : "") + lines_[i];
  return out;
}

}  // namespace gdsd
