#include "cli/canvas.h"

#include <nlohmann/json.hpp>

#include "cli/console.h"
#include "cli/paper.h"

namespace gdsd {

namespace {

constexpr const char *kHighlight = "\033[1;32m", *kWorking = "\033[36m", *kDim = "\033[2m";

/// What a cell is drawn like.
enum class Look { kText, kNew, kHidden, kHiddenInBlock };

const char* colour(Look look) {
  switch (look) {
    case Look::kText: return "";
    case Look::kNew: return kHighlight;
    case Look::kHidden: return kDim;
    case Look::kHiddenInBlock: return kWorking;
  }
  return "";
}

}  // namespace

std::vector<Revealed> UnmaskingOrder::see(const StepView& view) {
  const Tensor changed = hidden_.logical_and(view.hidden.logical_not()).nonzero();  // [n, 2]
  std::vector<Revealed> out;
  if (changed.size(0) == 0) return out;
  const int64_t C = hidden_.size(1);
  const Tensor tokens =
      view.sequences.tokens.index_select(0, tail_rows(view.sequences, C).flatten())
          .cpu()
          .view({-1, C});
  const auto at = changed.accessor<int64_t, 2>();
  const auto token = tokens.accessor<int64_t, 2>();
  for (int64_t i = 0; i < changed.size(0); ++i) {
    if (out.empty() || out.back().row != at[i][0])
      out.push_back({.row = at[i][0], .step = view.step, .position = {}, .token = {}});
    out.back().position.push_back(at[i][1]);
    out.back().token.push_back(token[at[i][0]][at[i][1]]);
  }
  hidden_ = view.hidden.clone();
  return out;
}

std::string to_json(const Revealed& r, int64_t first) {
  return nlohmann::ordered_json{
      {"prompt", first + r.row}, {"step", r.step}, {"position", r.position}, {"token", r.token}}
      .dump();
}

void Canvas::draw(const StepView& view, const std::vector<Revealed>& revealed) {
  const bool changed = !revealed.empty() && revealed[0].row == 0;
  if (!changed) return;
  const int64_t C = view.hidden.size(1);
  const auto tokens =
      to_vector<int64_t>(view.sequences.tokens.index_select(0, tail_rows(view.sequences, C)[0]));
  const auto hidden = to_vector<int64_t>(view.hidden[0]);
  std::vector<Look> looks(C, Look::kText);
  for (int64_t i = 0; i < C; ++i)
    if (hidden[i] != 0)
      looks[i] = i >= view.begin && i < view.end ? Look::kHiddenInBlock : Look::kHidden;
  for (int64_t i : revealed[0].position) looks[i] = Look::kNew;

  const auto [height, width] =
      terminal_ ? terminal_size() : TerminalSize{.height = 1000, .width = 100};
  Paper paper(width);
  paper.write(concat("step ", view.step + 1, "\n"), terminal_ ? kDim : "");
  // Neighbours of one look are decoded together: a character may be several tokens.
  for (int64_t i = 0, end = 0; i < C; i = end) {
    std::vector<int64_t> run;
    for (end = i; end < C && looks[end] == looks[i]; ++end) run.push_back(tokens[end]);
    std::string text;
    if (looks[i] == Look::kText || looks[i] == Look::kNew)
      text = tokenizer_.decode(run);
    else
      for (size_t n = 0; n < run.size(); ++n) text += "░";
    paper.write(text, terminal_ ? colour(looks[i]) : "");
    if (looks[i] == Look::kNew) paper.mark();
  }
  if (terminal_ && lines_ > 0) out_ << "\033[" << lines_ << "A\r\033[J";
  const size_t most = std::max<size_t>(height, 2) - 1;  // the cursor stands in a line of its own
  out_ << paper.text(most) << "\n" << std::flush;
  lines_ = paper.lines(most);
}

void Canvas::finish() {
  lines_ = 0;
  out_ << "\n";
}

}  // namespace gdsd
