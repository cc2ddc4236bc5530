// Where a completion says its answer.
#include "gdsd/reward/answer.h"

#include "gdsd/text/python_text.h"

namespace gdsd {

std::optional<std::string_view> tagged_answer(std::string_view completion) {
  constexpr std::string_view kOpen = "<answer>";
  const size_t end = completion.rfind("</answer>");
  if (end == std::string_view::npos) return std::nullopt;
  const size_t begin = completion.substr(0, end).rfind(kOpen);
  if (begin == std::string_view::npos) return std::nullopt;
  return python_strip(completion.substr(begin + kOpen.size(), end - begin - kOpen.size()));
}

std::optional<std::string_view> boxed_answer(std::string_view text) {
  constexpr std::string_view kBox = "\\boxed{";
  for (size_t end = text.size();;) {  // a brace never closed is open from there to the end
    const size_t begin = text.substr(0, end).rfind(kBox);
    if (begin == std::string_view::npos) return std::nullopt;
    const std::string_view content = text.substr(begin + kBox.size(), end - begin - kBox.size());
    size_t open = 1, at = 0;
    for (; open > 0 && at < content.size(); ++at)
      open += static_cast<size_t>(content[at] == '{') - static_cast<size_t>(content[at] == '}');
    if (open == 0) return python_strip(content.substr(0, at - 1));
    end = begin;
  }
}

}  // namespace gdsd
