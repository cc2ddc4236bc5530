// gdsd results: evaluations beside one another.
#include <iostream>

#include "cli/eval.h"
#include "gdsd/base/file.h"
#include "gdsd/base/progress.h"
#include "gdsd/eval/results.h"

namespace gdsd {

namespace {

using Json = nlohmann::ordered_json;
using Line = std::vector<std::string>;

std::string setting(const Json& result, const char* key) {
  return result.at("manifest").at("config").value(key, "");
}

std::string percent(const Json& metrics, const std::string& name) {
  if (!metrics.contains(name)) return "";
  return fixed(100 * metrics[name].get<double>(), 1);
}

/// pass@k of the largest k, as "61.2 (k = 8)".
std::string best_pass(const Json& result) {
  const int64_t k = result.at("samples");
  if (k == 1) return "";
  return concat(percent(result.at("metrics"), concat("eval/pass@", k)), " (k = ", k, ")");
}

/// How far an approximate sampler's tokens are those of the exact one, in percent.
std::string agreement(const Json& result) {
  const bool exact =
      setting(result, "sampler.cache") == "none" && setting(result, "sampler.threshold") == "0";
  return exact ? "exact" : percent(result.at("metrics"), "eval/token_agreement");
}

Line line_of(const std::string& folder, const Json& result) {
  const Json& m = result.at("metrics");
  return {folder,
          result.at("manifest").contains("answers") ? "given answers" : setting(result, "model"),
          setting(result, "task.name"),
          setting(result, "task.prompt"),
          setting(result, "sampler.gen_length"),
          concat(result.at("problems").get<int64_t>()),
          percent(m, "eval/solved"),
          concat("[", percent(m, "eval/solved_low"), ", ", percent(m, "eval/solved_high"), "]"),
          percent(m, "eval/cell"),
          percent(m, "eval/released"),
          best_pass(result),
          fixed(m.at("eval/reward").get<double>(), 3),
          m.contains("eval/length") ? fixed(m["eval/length"].get<double>(), 1) : "",
          agreement(result)};
}

void print_table(const std::vector<Line>& lines) {
  std::vector<size_t> width(lines[0].size());
  for (const Line& line : lines)
    for (size_t i = 0; i < line.size(); ++i) width[i] = std::max(width[i], line[i].size());
  for (const Line& line : lines) {
    std::string text;
    for (size_t i = 0; i < line.size(); ++i) {
      const std::string space(width[i] - line[i].size() + 2, ' ');
      text += i < 4 ? line[i] + space : space + line[i];  // words to the left, numbers to the right
    }
    std::cout << text << "\n";
  }
}

}  // namespace

int run_results(const ResultsArguments& arguments) {
  std::vector<Line> lines{{"folder", "model", "task", "prompt", "length", "problems", "solved %",
                           "95 %", "parts %", "released %", "pass@k %", "reward", "tokens",
                           "agreement %"}};
  Json all = Json::array();
  for (const std::string& folder : arguments.folders) {
    Json result = read_result(folder);
    try {
      lines.push_back(line_of(folder, result));
    } catch (const nlohmann::json::exception& e) {
      throw Error(concat(folder, "/result.json: not what `gdsd eval` writes: ", e.what()));
    }
    result["folder"] = folder;
    all.push_back(std::move(result));
  }
  print_table(lines);
  if (!arguments.json.empty()) write_file(arguments.json, all.dump(2) + "\n");
  return kExitDone;
}

}  // namespace gdsd
