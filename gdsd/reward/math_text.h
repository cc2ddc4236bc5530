// Answers as the released code reads them: the last box of a text, and a comparison of two answers
// by their bytes after some rewriting (Hendrycks et al., arXiv 2103.03874).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace gdsd {

/// The last "\boxed…" (or, where there is none, "\fbox…") up to the brace that closes it. If "\boxed "
/// with a space occurs: its last occurrence, up to the next "$". nullopt if no brace closes the box
/// or none is opened; the text itself if there is no box.
std::optional<std::string> last_boxed(std::string_view text);

/// The content of "\boxed{…}" or "\boxed …"; anything else as it is, where some copies of the
/// released function raise.
std::string remove_boxed(std::string_view boxed);

/// The released comparisons differ where a step of the rewriting fails: training leaves the step out,
/// evaluation compares the texts as they were.
enum class StringRule { kTraining, kEvaluation };

/// The rewritten answer: no units, no degree or percent signs, "0.5" and "1/2" as \frac{1}{2}, …;
/// nullopt where the released code raises.
std::optional<std::string> rewritten(std::string_view answer, StringRule rule);

/// Whether two answers are rewritten to the same bytes. Two missing answers are equal, as in the
/// released code.
bool string_equivalent(const std::optional<std::string>& a, const std::optional<std::string>& b,
                       StringRule rule = StringRule::kTraining);

}  // namespace gdsd
