// Where a text says its answer.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace gdsd {

/// What stands between the last "</answer>" and the "<answer>" that is next before it, without white
/// space around it; nullopt without such a pair.
std::optional<std::string_view> tagged_answer(std::string_view completion);

/// What stands between the first "<answer>" and the "</answer>" that is next after it, likewise: where
/// the released code looks.
std::optional<std::string_view> first_answer(std::string_view text);

/// The content of the last "\boxed{…}" whose brace is closed and which is not blank, without white
/// space around it.
std::optional<std::string_view> boxed_answer(std::string_view text);

/// What the last \boxed{} or \fbox{} of a solution of MATH holds; "\boxed 5$" is one as well. nullopt
/// for none, or one that is not closed.
std::optional<std::string> solution_box(std::string_view solution);

}  // namespace gdsd
