#include "gdsd/reward/judge.h"

#include <algorithm>

#include "gdsd/reward/code.h"
#include "gdsd/reward/countdown.h"
#include "gdsd/reward/external.h"
#include "gdsd/reward/gsm8k.h"
#include "gdsd/reward/math.h"
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

/// Of a task whose answers are right or wrong.
Verdict of_one(bool right, bool released_right) {
  return {.solved = right,
          .right = right,
          .asked = 1,
          .released_right = released_right,
          .released_asked = 1};
}

Verdict sudoku_verdict(const Attempt& attempt) {
  const auto [right, blanks] = blanks_right(attempt);
  Verdict v{.solved = right == blanks, .right = right, .asked = blanks};
  if (attempt.example->problem.size() != 16) return v;  // the released parser knows 4x4 alone
  const ReleasedSudoku released = sudoku_eval_released(attempt);
  v.released_right = released.right;
  v.released_asked = released.blanks;
  return v;
}

Parts parts_of(const SudokuOptions&) {
  return {{{"sudoku", sudoku_reward}, {"sudoku_released", sudoku_released}}, sudoku_verdict};
}

Parts parts_of(const CountdownOptions& o) {
  const CountdownParser parser =
      o.prompt == CountdownPrompt::kMathEval ? CountdownParser::kMathEval : CountdownParser::kEval;
  return {{{"countdown", countdown_reward}, {"countdown_released", countdown_released}},
          [parser](const Attempt& attempt) {
            const auto released = countdown_eval_released(attempt, parser);
            return of_one(reaches_target(attempt), released && released->correct);
          }};
}

Parts parts_of(const Gsm8kOptions&) {
  return {{{"gsm8k", gsm8k_reward},
           {"xml_format", xml_format_reward},
           {"gsm8k_boxed_released", gsm8k_boxed_released},
           {"xmlcount_released", gsm8k_xml_count_released},
           {"soft_format_released", gsm8k_xml_soft_format_released},
           {"strict_format_released", gsm8k_xml_strict_format_released},
           {"int_released", gsm8k_xml_int_released},
           {"correctness_xml_released", gsm8k_xml_correctness_released}},
          [](const Attempt& attempt) {
            return of_one(*gsm8k_reward(attempt) == 1, gsm8k_eval_released(attempt).correct);
          }};
}

Parts parts_of(const MathOptions&) {
  return {{{"math", math_reward},
           {"xml_format", xml_format_reward},
           {"math_boxed_released", math_boxed_released},
           {"math_xml_released", math_xml_released},
           {"math_format_released", math_format_released}},
          [](const Attempt& attempt) {
            return of_one(*math_reward(attempt) == 1, math_eval_released(attempt).correct);
          }};
}

Verdict code_verdict(Sandbox& sandbox, const Attempt& attempt) {
  const Outcome outcome = judge_code(sandbox, attempt.completion, *attempt.example);
  check(outcome.kind != Outcome::Kind::kRefused, "[sandbox] ", attempt.example->source,
        ": the program could not be run contained: ", outcome.message);
  return {.solved = outcome.kind == Outcome::Kind::kPassed,
          .right = outcome.passed,
          .asked = outcome.total,
          .outcome = std::string(enum_names(outcome.kind).at(static_cast<size_t>(outcome.kind)))};
}

Parts parts_of(const CodeOptions& o) {
  const auto sandbox = std::make_shared<Sandbox>(o.sandbox);
  return {{{"code", code_reward(sandbox)},
           {"code_format", code_format(sandbox)},
           {"code_released", code_released(sandbox)},
           {"code_format_released", code_format_released(sandbox)}},
          [sandbox](const Attempt& attempt) { return code_verdict(*sandbox, attempt); }};
}

/// 1 for the very answer, white space around aside.
std::optional<double> exact_reward(const Attempt& attempt) {
  return python_strip(attempt.completion) == python_strip(attempt.example->answer);
}

Parts parts_of(const CustomOptions& o) {
  std::vector<Named> rewards{{"exact", exact_reward}};
  if (!o.external.command.empty())
    rewards.insert(rewards.begin(), {"external", external_reward(o.external)});
  const Reward own = rewards[0].reward;
  return {std::move(rewards), [own](const Attempt& attempt) {
            const bool right = own(attempt).value_or(0) >= 1;
            return Verdict{.solved = right, .right = right, .asked = 1};
          }};
}

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
