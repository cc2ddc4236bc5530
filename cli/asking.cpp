#include "cli/asking.h"

#include <unistd.h>

#include <iostream>

#include "cli/console.h"
#include "gdsd/base/json.h"

namespace gdsd {

namespace {

using Json = nlohmann::ordered_json;

/// Throws Error where a line says that it answers another problem.
void check_source(const Json& line, const Example& example, const std::string& where) {
  const auto found = line.find("source");
  check(found == line.end() || *found == example.source, where, ": answers ",
        found == line.end() ? "" : found->dump(), ", expected an answer to ", example.source, ".");
}

/// The texts of a file of JSON lines with a `completion`, such as items.jsonl; n are needed.
std::vector<GivenText> read_answers(const std::string& file, const Problems& problems, int64_t n,
                                    int64_t samples) {
  const std::string text = read_file(file);
  std::vector<GivenText> texts;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    const std::string where = concat(file, ":", texts.size() + 1);
    check(std::ssize(texts) < n, "[answers] ", where, ": more than the ", n, " answers expected.");
    const Json line = parse_json_object<Json>(std::string_view(text).substr(at, end - at), where);
    check(line.contains("completion") && line["completion"].is_string(), where,
          ": expected a text `completion`.");
    GivenText given{.completion = line["completion"], .generation = line["completion"]};
    if (line.contains("generation") && line["generation"].is_string())
      given.generation = line["generation"];
    if (line.contains("tokens") && line["tokens"].is_number_integer())
      given.tokens = line["tokens"].get<int64_t>();
    check_source(line, problems.held_out(std::ssize(texts) / samples), where);
    texts.push_back(std::move(given));
    at = end + 1;
  }
  check(std::ssize(texts) == n, "[answers] ", file, " has ", texts.size(), " lines, expected ", n,
        ": one for each answer, in order.");
  return texts;
}

}  // namespace

Source given_answers(const EvalConfig& config, const std::string& from, const Problems& problems,
                     const Judge& judge, int64_t n) {
  const int64_t k = config.samples;
  std::vector<GivenText> texts;
  if (from != kReference) texts = read_answers(from, problems, n * k, k);
  return [&problems, &judge, k, texts = std::move(texts)](int64_t begin, int64_t end) {
    std::vector<GivenText> part;
    for (int64_t i = begin * k; i < end * k; ++i) {
      if (!texts.empty()) {
        part.push_back(texts[i]);
        continue;
      }
      const std::string solution =
          problems.demonstration(problems.held_out(i / k), Key{}.fork("reference", i));
      part.push_back({.completion = solution, .generation = solution});
    }
    return judge_texts(problems, judge, begin, k, part);
  };
}

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
