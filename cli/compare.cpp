// gdsd compare: a table of finished runs, a summary to read by program, a page to look at.
#include <cstdio>
#include <iostream>
#include <nlohmann/json.hpp>

#include "cli/report.h"
#include "cli/verbs.h"
#include "gdsd/base/file.h"

namespace gdsd {

namespace {

void print_row(const std::string& name, size_t seeds, double solved, double cell, double auc,
               double seconds) {
  char text[160];
  std::snprintf(text, sizeof text, "%-20s %5zu  %6.3f  %6.3f", name.c_str(), seeds, solved, cell);
  std::cout << text;
  if (auc >= 0) {
    std::snprintf(text, sizeof text, "  %6.3f  %7.1f", auc, seconds);
    std::cout << text;
  }
  std::cout << "\n";
}

void print_table(const std::vector<Method>& methods) {
  std::cout << "method               seeds  solved    cell     auc  seconds\n";
  const RunResult& first = methods[0].runs[0];
  print_row("base", 1, first.base_solved, first.base_cell, -1, 0);
  for (const Method& m : methods) {
    print_row(m.name, m.runs.size(), m.mean(&RunResult::final_solved),
              m.mean(&RunResult::final_cell), m.mean_auc(), m.mean(&RunResult::seconds));
    if (m.runs.size() > 1)
      for (const RunResult& run : m.runs)
        print_row(concat("  seed ", run.config.seed), 1, run.final_solved, run.final_cell,
                  run.auc(), run.seconds);
  }
}

nlohmann::json summary(const std::vector<Method>& methods, double seconds) {
  const RunResult& first = methods[0].runs[0];
  nlohmann::json out{{"base", {{"solved", first.base_solved}, {"cell", first.base_cell}}},
                     {"seconds", seconds}};
  for (const Method& m : methods) {
    nlohmann::json seeds = nlohmann::json::array();
    for (const RunResult& run : m.runs)
      seeds.push_back({{"seed", run.config.seed},
                       {"solved", run.final_solved},
                       {"cell", run.final_cell},
                       {"auc", run.auc()},
                       {"seconds", run.seconds}});
    out[m.name] = {{"solved", m.mean(&RunResult::final_solved)},
                   {"cell", m.mean(&RunResult::final_cell)},
                   {"auc", m.mean_auc()},
                   {"seconds", m.mean(&RunResult::seconds)},
                   {"seeds", seeds}};
  }
  return out;
}

}  // namespace

int run_compare(const CompareArguments& arguments) {
  const std::vector<Method> methods = read_methods(arguments.runs);
  if (!arguments.html.empty())
    write_file(arguments.html,
               render_page(methods, trace_answers(methods[0].runs[0]), arguments.seconds));
  if (!arguments.json.empty())
    write_file(arguments.json, summary(methods, arguments.seconds).dump(2) + "\n");
  print_table(methods);
  return kExitDone;
}

}  // namespace gdsd
