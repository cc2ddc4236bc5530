#include "cli/report.h"

#include <functional>
#include <map>

#include "cli/svg.h"
#include "gdsd/base/progress.h"

namespace gdsd {

namespace {

constexpr const char* kStyle = R"(<style>
:root { color-scheme: light; --ink: #1d2433; --soft: #667; --rule: #e3e6ee; }
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); max-width: 46rem; margin: 2rem auto;
       padding: 0 1rem; }
h1 { font-size: 1.6rem; margin-bottom: 0; } h2 { font-size: 1.15rem; margin-top: 2.2rem; }
table { border-collapse: collapse; width: 100%; } caption { text-align: left; color: var(--soft); }
th, td { text-align: right; padding: .3rem .6rem; border-bottom: 1px solid var(--rule); }
th:first-child, td:first-child { text-align: left; }
svg text { font: 12px system-ui, sans-serif; fill: var(--ink); }
svg .rule { stroke: var(--rule); } svg .caption { fill: var(--soft); }
.grids { display: flex; flex-wrap: wrap; gap: .5rem; } .note { color: var(--soft); }
.cell { stroke: #b9c0cf; fill: #fff; } .given { fill: #e9ecf3; } .hidden { fill: #fff; }
.right { fill: #d6f0dc; } .wrong { fill: #f8d3d0; } .fresh { stroke: #1d2433; stroke-width: 2; }
code { background: #f3f4f8; padding: 0 .25em; }
</style>)";

const char* colour(size_t method) {
  static const char* const kColours[] = {"#1f6feb", "#d9730d", "#2a9d5c", "#8250df", "#c2255c"};
  return kColours[method % std::size(kColours)];
}

std::string percent(double rate) { return fixed(100 * rate, 1) + " %"; }

Curve rewards(const RunResult& run) { return run.reward; }
Curve solved(const RunResult& run) { return run.solved; }

/// At each step the mean over the seeds that have it.
Curve mean_curve(const Method& method, const std::function<Curve(const RunResult&)>& figure) {
  std::map<double, std::pair<double, int>> by_step;  // sum and number
  for (const RunResult& run : method.runs)
    for (const auto& [step, value] : figure(run)) {
      by_step[step].first += value;
      ++by_step[step].second;
    }
  Curve mean;
  for (const auto& [step, total] : by_step) mean.emplace_back(step, total.first / total.second);
  return mean;
}

std::string chart(const std::vector<Method>& methods, const std::string& title,
                  const std::function<Curve(const RunResult&)>& figure) {
  std::vector<Series> series;
  for (size_t m = 0; m < methods.size(); ++m) {
    if (methods[m].runs.size() > 1)
      for (const RunResult& run : methods[m].runs)
        series.push_back({"", colour(m), figure(run), /*faint=*/true});
    series.push_back({methods[m].name, colour(m), mean_curve(methods[m], figure), false});
  }
  return "<h2>" + title + "</h2>" + line_chart(title, "step", series);
}

std::string table(const std::vector<Method>& methods) {
  std::string out = concat(
      "<table><caption>Held-out problems: ", methods[0].runs[0].config.eval.problems,
      ", after the last step; seconds are those of one training run.</caption><tr><th>method</th>"
      "<th>seeds</th><th>solved</th><th>95 %</th><th>cell</th><th>auc</th><th>seconds</th></tr>");
  auto add = [&](const Row& row) {
    out += concat("<tr><td>", escape_html(row.name), "</td><td>", row.seeds, "</td><td>",
                  percent(row.solved), "</td><td>", percent(row.interval.low), " – ",
                  percent(row.interval.high), "</td><td>", percent(row.cell), "</td><td>",
                  row.auc ? fixed(*row.auc, 3) : "–", "</td><td>",
                  row.seconds ? human_duration(*row.seconds) : "–", "</td></tr>");
  };
  add(base_row(methods));
  for (const Method& m : methods) add(row_of(m));
  return out +
         "</table><p class='note'>solved: every part right. cell: parts right. auc: mean "
         "reward of all rollouts of training.</p>";
}

/// What stands at place i of a canvas; in sudoku a cell is right where it agrees with the solution,
/// and what follows the 16 cells where it is the end.
Cell cell_at(const Trace& trace, size_t i, const std::string& text, bool sudoku) {
  Cell cell{.text = text};
  if (text.empty()) return cell;
  const std::string &prompt = trace.problem.problem, &answer = trace.problem.answer;
  const bool is_cell = sudoku && i < answer.size() && i < prompt.size();
  const bool right = is_cell ? text[0] == answer[i] : sudoku ? text == kEnd : trace.solved;
  const bool given = is_cell && prompt[i] != '0';
  cell.kind = !right ? Cell::Kind::kWrong : given ? Cell::Kind::kGiven : Cell::Kind::kRight;
  return cell;
}

/// The canvas after every step.
std::string frames(const std::string& title, const Trace& trace, bool sudoku) {
  std::string out = concat("<h3>", title, ": ", trace.solved ? "solved" : "not solved",
                           "</h3><div class='grids'>");
  for (size_t s = 0; s < trace.canvas.size(); ++s) {
    std::vector<Cell> cells;
    for (size_t i = 0; i < trace.canvas[s].size(); ++i) {
      cells.push_back(cell_at(trace, i, trace.canvas[s][i], sudoku));
      cells.back().fresh = s > 0 && !trace.canvas[s][i].empty() && trace.canvas[s - 1][i].empty();
    }
    out += cell_grid(cells, sudoku ? 4 : static_cast<int64_t>(cells.size()),
                     s == 0 ? "start" : concat("step ", s));
  }
  return out + "</div>";
}

std::string puzzle(const Trace& trace) {
  std::vector<Cell> cells;
  for (char c : trace.problem.problem)
    cells.push_back({.text = c == '0' ? "" : std::string(1, c),
                     .kind = c == '0' ? Cell::Kind::kHidden : Cell::Kind::kGiven});
  return "<div class='grids'>" + cell_grid(cells, 4, "puzzle") + "</div>";
}

}  // namespace

std::string render_page(const std::vector<Method>& methods, const BeforeAndAfter& traces,
                        const PageOptions& options) {
  const RunResult& first = methods[0].runs[0];
  const auto* task = std::get_if<SudokuOptions>(&first.config.task);
  const bool sudoku = task && task->prompt == SudokuPrompt::kBare && task->side == 4;
  std::string names;
  for (const Method& m : methods) names += (names.empty() ? "" : " and ") + m.name;

  std::string out = concat(
      "<!doctype html><html lang='en'><meta charset='utf-8'><title>gdsd: ", escape_html(names),
      "</title>", kStyle, "<h1>", escape_html(names), "</h1><p class='note'>", first.config.steps,
      " steps of ", first.config.rollout.prompts * first.config.rollout.group_size,
      " rollouts each");
  if (options.seconds > 0) out += ", all runs together in " + human_duration(options.seconds);
  out += ".</p>";
  if (!options.note.empty()) out += "<p>" + escape_html(options.note) + "</p>";
  out += table(methods);
  out += chart(methods, "Reward of the rollouts", rewards);
  out += chart(methods, "Held-out problems solved", solved);
  out += "<h2>One held-out problem, step by step</h2>";
  out += sudoku ? puzzle(traces.base)
                : "<p><code>" + escape_html(traces.base.problem.prompt) + "</code></p>";
  out += frames("Base", traces.base, sudoku);
  out += frames("After " + escape_html(methods[0].name), traces.trained, sudoku);
  if (sudoku)
    out +=
        "<p class='note'>Grey: given. Green: right. Red: wrong. Framed: revealed at that "
        "step.</p>";
  return out + "</html>\n";
}

}  // namespace gdsd
