// gdsd compare: a table of finished runs, a summary to read by program, a page to look at.
#include <cstdio>
#include <iostream>
#include <nlohmann/json.hpp>

#include "cli/report.h"
#include "cli/targets.h"
#include "cli/verbs.h"
#include "gdsd/base/file.h"
#include "gdsd/base/progress.h"

namespace gdsd {

namespace {

void print_row(const Row& row, bool of_a_seed = false) {
  char text[160];
  std::snprintf(text, sizeof text, "%-20s %5zu  %6.3f  %s - %s  %6.3f",
                ((of_a_seed ? "  " : "") + row.name).c_str(), row.seeds, row.solved,
                fixed(row.interval.low, 3).c_str(), fixed(row.interval.high, 3).c_str(), row.cell);
  std::cout << text;
  if (row.auc) std::cout << "   " << fixed(*row.auc, 3);
  if (row.seconds) {
    std::snprintf(text, sizeof text, "  %7.1f", *row.seconds);
    std::cout << text;
  }
  std::cout << "\n";
}

void print_table(const std::vector<Method>& methods) {
  std::cout << "method               seeds  solved           95 %    cell     auc  seconds\n";
  print_row(base_row(methods));
  for (const Method& m : methods) {
    print_row(row_of(m));
    if (m.runs.size() > 1)
      for (const RunResult& run : m.runs) print_row(row_of(run), /*of_a_seed=*/true);
  }
}

nlohmann::json json_of(const Row& row) {
  nlohmann::json out{{"solved", row.solved},
                     {"solved_low", row.interval.low},
                     {"solved_high", row.interval.high},
                     {"cell", row.cell}};
  if (row.auc) out["auc"] = *row.auc;
  if (row.seconds) out["seconds"] = *row.seconds;
  return out;
}

nlohmann::json summary(const std::vector<Method>& methods, double seconds) {
  nlohmann::json out{{"base", json_of(base_row(methods))}, {"seconds", seconds}};
  for (const Method& m : methods) {
    nlohmann::json seeds = nlohmann::json::array();
    for (const RunResult& run : m.runs) {
      seeds.push_back(json_of(row_of(run)));
      seeds.back()["seed"] = run.config.seed;
    }
    out[m.name] = json_of(row_of(m));
    out[m.name]["seeds"] = seeds;
  }
  return out;
}

}  // namespace

int run_compare(const CompareArguments& arguments) {
  check_targets(arguments.json, arguments.html);
  const std::vector<Method> methods = read_methods(arguments.runs);
  std::string page;
  if (!arguments.html.empty())
    page = render_page(methods, trace_answers(methods[0].runs[0]),
                       {.note = arguments.note, .seconds = arguments.seconds});
  print_table(methods);
  if (!page.empty()) write_file(arguments.html, page);
  if (!arguments.json.empty())
    write_file(arguments.json, summary(methods, arguments.seconds).dump(2) + "\n");
  return kExitDone;
}

}  // namespace gdsd
