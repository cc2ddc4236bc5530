// A reward that is a program of the user's own.
#include "gdsd/reward/external.h"

#include <cmath>
#include <memory>
#include <mutex>
#include <sstream>

#include "gdsd/base/json.h"
#include "gdsd/reward/line_process.h"
#include "gdsd/text/utf8.h"

namespace gdsd {
namespace {

using nlohmann::json;

std::vector<std::string> split(const std::string& command) {
  std::istringstream words(command);
  std::vector<std::string> argv;
  for (std::string word; words >> word;) argv.push_back(word);
  return argv;
}

std::string request_of(const Attempt& attempt, uint64_t id) {
  const Example& e = *attempt.example;
  json request{{"id", id}};
  for (const auto& [name, text] : {std::pair("prompt", &e.prompt),
                                   {"problem", &e.problem},
                                   {"answer", &e.answer},
                                   {"completion", &attempt.completion},
                                   {"source", &e.source}})
    request[name] = replace_invalid_utf8(*text);
  request["record"] = e.record.empty() ? json() : parse_json_object(e.record, e.source);
  return request.dump(-1, ' ', /*ensure_ascii=*/true);
}

/// The program, and the number of the next question.
class External {
 public:
  explicit External(const ExternalOptions& options)
      : where_("[reward] '" + options.command + "' "),
        argv_(split(options.command)),
        limit_(std::chrono::milliseconds(std::llround(options.timeout * 1000))),
        process_(std::make_unique<LineProcess>(argv_)) {}

  std::optional<double> score(const Attempt& attempt) {
    const std::lock_guard lock(mutex_);
    try {
      const uint64_t id = id_++;
      return parse(answer(request_of(attempt, id)), id);
    } catch (...) {
      process_.reset();  // what it would answer next is not known
      throw;
    }
  }

 private:
  using Outcome = LineProcess::Outcome;

  std::string answer(const std::string& request) {
    for (int lives = 2;; --lives) {
      if (!process_) process_ = std::make_unique<LineProcess>(argv_);
      LineProcess::Reply reply = process_->ask(request, limit_);
      if (reply.outcome == Outcome::kAnswered) return std::move(reply.line);
      check(reply.outcome == Outcome::kEnded, where_, "gave no answer in ",
            std::chrono::duration<double>(limit_).count(), " s, expected a score. See timeout.");
      const std::string how = process_->end();
      process_.reset();
      check(lives > 1, where_, "ended without an answer, also when started anew: ", how);
    }
  }

  std::optional<double> parse(const std::string& line, uint64_t id) {
    const std::string expected =
        concat(where_, "answered \"", replace_invalid_utf8(line.substr(0, 200)),
               "\", expected {\"id\": ", id, ", \"score\": a number or null}");
    const json answer = parse_json_object(line, expected);
    const auto given = answer.find("id"), score = answer.find("score");
    check(given != answer.end() && *given == id && score != answer.end(), expected, ".");
    check(score->is_null() || score->is_number(), expected, ".");
    if (score->is_null()) return std::nullopt;
    return score->get<double>();
  }

  std::mutex mutex_;
  std::string where_;
  std::vector<std::string> argv_;
  std::chrono::milliseconds limit_;
  std::unique_ptr<LineProcess> process_;
  uint64_t id_ = 0;
};

}  // namespace

Reward external_reward(const ExternalOptions& options) {
  options.validate();
  check_field(!split(options.command).empty(), "command", "must name a program.");
  return [external = std::make_shared<External>(options)](const Attempt& attempt) {
    return external->score(attempt);
  };
}

}  // namespace gdsd
