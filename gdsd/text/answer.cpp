#include "gdsd/text/answer.h"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "gdsd/text/python_text.h"

namespace gdsd {

namespace {

constexpr std::string_view kOpen = "<answer>", kClose = "</answer>";

}  // namespace

std::optional<std::string_view> first_answer(std::string_view text) {
  const size_t open = text.find(kOpen);
  if (open == std::string_view::npos) return std::nullopt;
  text.remove_prefix(open + kOpen.size());
  const size_t end = text.find(kClose);
  if (end == std::string_view::npos) return std::nullopt;
  return python_strip(text.substr(0, end));
}

std::optional<std::string_view> tagged_answer(std::string_view completion) {
  const size_t end = completion.rfind(kClose);
  if (end == std::string_view::npos) return std::nullopt;
  const size_t begin = completion.substr(0, end).rfind(kOpen);
  if (begin == std::string_view::npos) return std::nullopt;
  return python_strip(completion.substr(begin + kOpen.size(), end - begin - kOpen.size()));
}

std::optional<std::string_view> boxed_answer(std::string_view text) {
  struct Open {
    size_t content;  // the byte after the brace
    bool box;
  };
  std::vector<Open> open;
  std::string_view last;
  for (size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '{') open.push_back({at + 1, text.substr(0, at).ends_with("\\boxed")});
    if (text[at] != '}' || open.empty()) continue;
    const auto [content, box] = open.back();
    open.pop_back();
    if (!box || (!last.empty() && text.data() + content < last.data())) continue;
    const std::string_view inside = python_strip(text.substr(content, at - content));
    if (!inside.empty()) last = inside;
  }
  if (last.empty()) return std::nullopt;
  return last;
}

std::optional<std::string> solution_box(std::string_view solution) {
  size_t begin = 0;  // of what stands after the last command
  for (std::string_view box : {"\\boxed", "\\fbox"})
    if (const size_t found = solution.rfind(box); found != std::string_view::npos)
      begin = std::max(begin, found + box.size());
  if (begin == 0) return std::nullopt;
  const std::string_view rest = solution.substr(begin);
  if (rest.starts_with(' ')) return std::string(python_strip(rest.substr(0, rest.find('$'))));
  int64_t depth = 0;
  for (size_t i = 0; i < rest.size(); ++i) {
    depth += (rest[i] == '{') - (rest[i] == '}');
    if (depth <= 0)
      return i == 0 ? std::nullopt : std::optional<std::string>(rest.substr(1, i - 1));
  }
  return std::nullopt;
}

}  // namespace gdsd
