#include "gdsd/reward/judge.h"

#include <algorithm>

#include "gdsd/reward/countdown.h"
#include "gdsd/reward/sudoku.h"
#include "gdsd/text/python_text.h"

namespace gdsd {
namespace {

struct Named {
  const char* name;
  Reward reward;
};

/// What a task is judged by: the first of `rewards` is its own.
struct Parts {
  std::vector<Named> rewards;
  std::function<Verdict(const Attempt&)> verdict;
};

Verdict of_one(bool right) { return {.solved = right, .right = right, .asked = 1}; }

Parts parts_of(const SudokuOptions&) {
  return {{{"sudoku", sudoku_reward}}, [](const Attempt& attempt) {
            const auto [right, blanks] = blanks_right(attempt);
            return Verdict{.solved = right == blanks, .right = right, .asked = blanks};
          }};
}

Parts parts_of(const CountdownOptions&) {
  return {{{"countdown", countdown_reward}},
          [](const Attempt& attempt) { return of_one(reaches_target(attempt)); }};
}

Parts parts_of(const Gsm8kOptions&) { return {}; }
Parts parts_of(const MathOptions&) { return {}; }
Parts parts_of(const CodeOptions&) { return {}; }
Parts parts_of(const CustomOptions&) { return {}; }

std::string names_of(const std::vector<Named>& rewards) {
  std::string all;
  for (const Named& r : rewards) all += concat(all.empty() ? "" : ", ", r.name);
  return all;
}

/// One entry of a list "name weight, name weight"; a weight left out is 1.
WeightedReward parse_entry(std::string_view entry, const std::vector<Named>& known) {
  const size_t space = entry.find_first_of(" \t");
  const std::string_view name = entry.substr(0, space);
  const auto found =
      std::find_if(known.begin(), known.end(), [&](const Named& r) { return r.name == name; });
  check_field(found != known.end(), "rewards", "got '", name, "', expected some of ",
              names_of(known), ", each with a weight: \"name weight, name weight\".");
  double weight = 1;
  if (space != std::string_view::npos) {
    const std::string_view text = python_strip(entry.substr(space));
    check_field(from_text(text, weight), "rewards", "the weight of ", name, " is '", text,
                "', expected a number.");
  }
  return {std::string(name), weight, found->reward};
}

std::vector<WeightedReward> chosen(std::string_view list, const std::vector<Named>& known) {
  if (list.empty()) return {{known.at(0).name, /*weight=*/1.0, known.at(0).reward}};
  std::vector<WeightedReward> rewards;
  for (size_t at = 0; at <= list.size();) {
    const size_t comma = std::min(list.find(',', at), list.size());
    rewards.push_back(parse_entry(python_strip(list.substr(at, comma - at)), known));
    for (size_t i = 0; i + 1 < rewards.size(); ++i)
      check_field(rewards[i].name != rewards.back().name, "rewards", rewards[i].name,
                  " stands there twice.");
    at = comma + 1;
  }
  return rewards;
}

}  // namespace

Judge::Judge(const TaskOptions& options) {
  std::visit(
      [&](const auto& o) {
        Parts parts = parts_of(o);
        rewards_ = chosen(o.rewards, parts.rewards);
        verdict_ = std::move(parts.verdict);
      },
      options);
}

}  // namespace gdsd
