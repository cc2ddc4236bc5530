#include "cli/report.h"

#include <cmath>
#include <cstdio>
#include <functional>

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

std::string percent(double rate) {
  char text[16];
  std::snprintf(text, sizeof text, "%.1f %%", 100 * rate);
  return text;
}

std::string rounded(double value) {
  char text[16];
  std::snprintf(text, sizeof text, "%.3f", value);
  return text;
}

/// The mean over seeds at each step: figure(run) gives (step, value) of one run.
using Curve = std::vector<std::pair<double, double>>;
Curve mean_curve(const Method& method, const std::function<Curve(const RunResult&)>& figure) {
  Curve mean = figure(method.runs[0]);
  for (size_t r = 1; r < method.runs.size(); ++r) {
    const Curve other = figure(method.runs[r]);
    for (size_t i = 0; i < mean.size(); ++i) mean[i].second += other.at(i).second;
  }
  for (auto& [x, y] : mean) y /= static_cast<double>(method.runs.size());
  return mean;
}

Curve rewards(const RunResult& run) {
  Curve curve;
  for (size_t i = 0; i < run.reward.size(); ++i)
    curve.emplace_back(static_cast<double>(i + 1), run.reward[i]);
  return curve;
}

Curve solved(const RunResult& run) {
  Curve curve;
  for (const auto& [step, rate] : run.solved) curve.emplace_back(static_cast<double>(step), rate);
  return curve;
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
  const RunResult& first = methods[0].runs[0];
  std::string out = concat(
      "<table><caption>Held-out problems: ", first.config.eval.problems,
      ", greedy decoding; seconds are those of one training run.</caption><tr><th>method</th>"
      "<th>seeds</th><th>solved</th><th>95 %</th><th>cells</th><th>reward area</th>"
      "<th>seconds</th></tr>");
  auto row = [&](const std::string& name, size_t seeds, double rate, double cell,
                 const std::string& auc, const std::string& seconds) {
    const auto n = static_cast<int64_t>(seeds) * first.config.eval.problems;
    const Interval i = wilson(static_cast<int64_t>(std::llround(rate * static_cast<double>(n))), n);
    out += concat("<tr><td>", escape_html(name), "</td><td>", seeds, "</td><td>", percent(rate),
                  "</td><td>", percent(i.low), " – ", percent(i.high), "</td><td>", percent(cell),
                  "</td><td>", auc, "</td><td>", seconds, "</td></tr>");
  };
  row("base", 1, first.base_solved, first.base_cell, "–", "–");
  for (const Method& m : methods)
    row(m.name, m.runs.size(), m.mean(&RunResult::final_solved), m.mean(&RunResult::final_cell),
        rounded(m.mean_auc()), human_duration(m.mean(&RunResult::seconds)));
  return out + "</table>";
}

/// The canvas after every step; in sudoku a cell is green where it agrees with the solution.
std::string frames(const std::string& title, const Trace& trace, bool sudoku) {
  std::string out = concat("<h3>", title, ": ", trace.solved ? "solved" : "not solved",
                           "</h3><div class='grids'>");
  for (size_t s = 0; s < trace.canvas.size(); ++s) {
    std::vector<Cell> cells;
    for (size_t i = 0; i < trace.canvas[s].size(); ++i) {
      const std::string& text = trace.canvas[s][i];
      Cell cell{.text = text};
      if (!text.empty()) {
        const bool right = sudoku ? text[0] == trace.problem.answer[i] : trace.solved;
        const bool given = sudoku && trace.problem.prompt[i] != '0';
        cell.kind = !right ? Cell::Kind::kWrong : given ? Cell::Kind::kGiven : Cell::Kind::kRight;
        cell.fresh = s > 0 && trace.canvas[s - 1][i].empty();
      }
      cells.push_back(cell);
    }
    out += cell_grid(cells, sudoku ? 4 : static_cast<int64_t>(cells.size()),
                     s == 0 ? "start" : concat("step ", s));
  }
  return out + "</div>";
}

std::string puzzle(const Trace& trace) {
  std::vector<Cell> cells;
  for (char c : trace.problem.prompt)
    cells.push_back({.text = c == '0' ? "" : std::string(1, c),
                     .kind = c == '0' ? Cell::Kind::kHidden : Cell::Kind::kGiven});
  return "<div class='grids'>" + cell_grid(cells, 4, "puzzle") + "</div>";
}

}  // namespace

std::string render_page(const std::vector<Method>& methods, const BeforeAndAfter& traces,
                        double seconds) {
  const RunResult& first = methods[0].runs[0];
  const bool sudoku = std::holds_alternative<SudokuOptions>(first.config.task);
  std::string names;
  for (const Method& m : methods) names += (names.empty() ? "" : " and ") + m.name;

  std::string out = concat(
      "<!doctype html><html lang='en'><meta charset='utf-8'><title>gdsd: ", escape_html(names),
      "</title>", kStyle, "<h1>", escape_html(names), "</h1><p class='note'>", first.config.steps,
      " steps of ", first.config.rollout.prompts * first.config.rollout.group_size,
      " rollouts each");
  if (seconds > 0) out += ", everything together in " + human_duration(seconds);
  out +=
      ".</p><p>What this shows is <em>elicitation</em>: the base was first taught to solve these "
      "problems and then, for a short spell, shown a bad habit that hides it. Reinforcement "
      "learning brings back what the base knows; it does not teach a new skill. One small model, "
      "one task: the order of the methods is a measurement here, not a general result.</p>";
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
        "<p class='note'>Grey: given. Green: right. Red: wrong. Framed: revealed at that step. "
        "All 16 cells are hidden at the start and revealed most confident first.</p>";
  return out + "</html>\n";
}

}  // namespace gdsd
