#include "cli/asking.h"

#include <unistd.h>

#include <iostream>

#include "cli/console.h"

namespace gdsd {

void Asking::ask(int64_t begin, int64_t end) {
  auto answers = source_(begin, end);
  if (folder_) folder_->add(answers);
  for (Answer& a : answers) so_far_.results.push_back(std::move(a.result));
}

std::optional<Evaluation> Asking::run(const SummaryRows& rows) {
  const int64_t n = so_far_.problems, B = config_.batch, pieces = (n + B - 1) / B;
  Console console(std::cerr, isatty(STDERR_FILENO));
  console.on_start(rows, answered() / B, pieces);
  double seconds = 0;
  const int64_t before = answered();
  while (answered() < n) {
    const auto since = std::chrono::steady_clock::now();
    const int64_t begin = answered(), end = std::min(n, begin + B);
    ask(begin, end);
    const double took =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - since).count();
    seconds += took;
    Evaluation partial = so_far_;
    partial.problems = answered();
    const auto m = partial.metrics();
    console.on_step({.step = (answered() + B - 1) / B,
                     .total = pieces,
                     .metrics = {{"solved", m.at("eval/solved")}, {"reward", m.at("eval/reward")}},
                     .timing = {{"seconds", took}}});
    if (answered() < n && console.interrupted()) return std::nullopt;
  }
  if (folder_ && !folder_->finished()) {
    const bool whole = before == 0;  // in one go
    folder_->finish(so_far_, {{"version", GDSD_VERSION},
                              {"seconds", whole ? nlohmann::ordered_json(seconds) : nullptr}});
  }
  return so_far_;
}

}  // namespace gdsd
