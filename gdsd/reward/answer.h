// Where a completion says its answer, for rewards of our own.
#pragma once

#include <optional>
#include <string_view>

namespace gdsd {

/// What stands between the last "</answer>" and the "<answer>" that is next before it, without white
/// space around it; nullopt without such a pair.
std::optional<std::string_view> tagged_answer(std::string_view completion);

/// The content of the last "\boxed{…}" whose braces are balanced, without white space around it.
std::optional<std::string_view> boxed_answer(std::string_view text);

}  // namespace gdsd
