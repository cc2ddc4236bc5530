#include "gdsd/eval/results.h"

#include <algorithm>

#include "gdsd/base/json.h"
#include "gdsd/text/python_text.h"

namespace gdsd {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

namespace {

constexpr const char* kHint = " Give another folder with --out, or say --fresh.";

/// Two manifests' texts of what a file holds are hashes: the values say nothing.
bool is_hash(const std::string& key) {
  for (const char* part : {"/data/", "/model", "/adapter", "/texts", "/answers"})
    if (key.starts_with(part)) return true;
  return false;
}

Json to_json(const Answer& a) {
  const Result& r = a.result;
  Json line{{"problem", a.problem},
            {"sample", a.sample},
            {"source", a.example.source},
            {"question", a.example.problem},
            {"answer", a.example.answer},
            {"completion", a.completion},
            {"generation", a.generation},
            {"tokens", r.tokens ? Json(*r.tokens) : Json()},
            {"reward", r.reward},
            {"rewards", r.parts},
            {"solved", r.verdict.solved},
            {"right", r.verdict.right},
            {"asked", r.verdict.asked},
            {"released_right", r.verdict.released_right},
            {"released_asked", r.verdict.released_asked}};
  if (!r.verdict.outcome.empty()) line["outcome"] = r.verdict.outcome;
  if (r.agreement) line["agreement"] = *r.agreement;
  return line;
}

Result to_result(const Json& line) {
  Result r{.verdict = {.solved = line.at("solved"),
                       .right = line.at("right"),
                       .asked = line.at("asked"),
                       .released_right = line.at("released_right"),
                       .released_asked = line.at("released_asked"),
                       .outcome = line.value("outcome", "")},
           .reward = line.at("reward"),
           .parts = line.at("rewards")};
  if (!line.at("tokens").is_null()) r.tokens = line.at("tokens");
  if (line.contains("agreement")) r.agreement = line.at("agreement");
  return r;
}

/// What differs between two manifests, in words.
std::string difference(const Json& before, const Json& now) {
  const Json a = before.flatten(), b = now.flatten();
  for (const auto& [key, value] : b.items())
    if (is_hash(key) && a.contains(key) && a[key] != value)
      return concat("the contents of ", replace_all(key.substr(1), "~1", "/"), " have changed");
    else if (!a.contains(key) || a[key] != value)
      return concat(key.substr(1), " was ", a.contains(key) ? a[key].dump() : "not there", ", now ",
                    value.dump());
  return "it has more keys";
}

}  // namespace

ResultFolder::ResultFolder(fs::path folder, const Json& manifest)
    : folder_(std::move(folder)), manifest_(manifest) {
  const bool used =
      fs::exists(folder_) && std::any_of(fs::directory_iterator(folder_), {}, [](auto& e) {
        return e.path().filename() != ".lock";  // all that a kill at once leaves
      });
  const fs::path file = folder_ / "manifest.json";
  check(!used || fs::exists(file), "[out] ", folder_.string(),
        " is not empty and holds no evaluation to go on with. Give another folder with --out.");
  fs::create_directories(folder_);
  lock_.emplace(folder_);
  if (fs::exists(file)) {
    const Json before = parse_json_object<Json>(read_file(file), file.string());
    if (before != manifest_)
      throw Error(concat("[out] ", folder_.string(),
                         " holds another evaluation: ", difference(before, manifest_), ".", kHint));
    read_items(manifest_.at("samples"));
  } else {
    write_file(file, manifest_.dump(2) + "\n");
  }
  if (!items_) items_ = std::make_unique<AppendFile>(folder_ / "items.jsonl", 0);
}

void ResultFolder::read_items(int64_t samples) {
  const fs::path file = folder_ / "items.jsonl";
  if (!fs::exists(file)) return;
  const std::string text = read_file(file);
  uint64_t kept = 0;
  std::vector<Result> problem;  // the samples of the one that is being read
  for (size_t at = 0, number = 1; at < text.size(); ++number) {
    const size_t end = text.find('\n', at);
    if (end == std::string::npos) break;  // a kill left it half written
    const std::string where = concat(file.string(), ":", number);
    const Json line = parse_json_object<Json>(std::string_view(text).substr(at, end - at), where);
    try {
      const auto expected = std::ssize(done_) / samples;
      check(line.at("problem") == expected && line.at("sample") == std::ssize(problem), where,
            ": not the answer that is next, ", expected, ".", kHint);
      problem.push_back(to_result(line));
    } catch (const nlohmann::json::exception&) {
      throw Error(where + ": not a line of an evaluation." + kHint);
    }
    at = end + 1;
    if (std::ssize(problem) < samples) continue;
    done_.insert(done_.end(), problem.begin(), problem.end());
    problem.clear();
    kept = at;
  }
  items_ = std::make_unique<AppendFile>(file, kept);
}

bool ResultFolder::finished() const { return fs::exists(folder_ / "result.json"); }

void ResultFolder::add(std::span<const Answer> answers) {
  std::string lines;
  for (const Answer& a : answers)
    lines += to_json(a).dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
  items_->append(lines);
  items_->sync();
}

void ResultFolder::finish(const Evaluation& evaluation, const Json& more) {
  Json result{{"manifest", manifest_},
              {"metrics", evaluation.metrics()},
              {"problems", evaluation.problems},
              {"samples", evaluation.samples}};
  result.update(more);
  write_file(folder_ / "result.json", result.dump(2) + "\n");
}

Json read_result(const fs::path& folder) {
  const fs::path file = folder / "result.json";
  check(fs::exists(folder), folder.string(), ": no such folder.");
  check(fs::exists(folder / "manifest.json"), folder.string(),
        ": not a folder of `gdsd eval --out`. Of --lengths there is one for each: ",
        (folder / "*").string(), ".");
  check(fs::exists(file), folder.string(),
        ": this evaluation is not finished; `gdsd eval` with the same arguments goes on.");
  Json result = parse_json_object<Json>(read_file(file), file.string());
  check(result.contains("manifest") && result.contains("metrics"), file.string(),
        ": not what `gdsd eval` writes.");
  return result;
}

}  // namespace gdsd
