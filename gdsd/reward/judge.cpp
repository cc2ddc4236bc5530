#include "gdsd/reward/judge.h"

#include <algorithm>

#include "gdsd/base/parallel.h"
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
  std::string name;
  Reward reward;
};

/// What a task is judged by. Its own reward, `own`, comes with the verdict.
struct Parts {
  std::string own;
  std::vector<Named> others;
  std::function<Verdict(const Attempt&)> verdict;
};

/// Of a task whose answers are right or wrong.
Verdict of_one(std::optional<double> own, bool right, bool released_right) {
  return {.own = own,
          .solved = right,
          .right = right,
          .asked = 1,
          .released_right = released_right,
          .released_asked = 1};
}

Verdict sudoku_verdict(const Attempt& attempt) {
  const auto [right, blanks] = blanks_right(attempt);
  Verdict v{.own = {}, .solved = blanks > 0 && right == blanks, .right = right, .asked = blanks};
  if (blanks > 0) v.own = static_cast<double>(right) / blanks;
  if (attempt.example->problem.size() != 16) return v;  // the released parser knows 4x4 alone
  const ReleasedSudoku released = sudoku_eval_released(attempt);
  v.released_right = released.right;
  v.released_asked = released.blanks;
  return v;
}

Parts parts_of(const SudokuOptions&) {
  return {"sudoku", {{"sudoku_released", sudoku_released}}, sudoku_verdict};
}

Parts parts_of(const CountdownOptions& o) {
  const CountdownParser parser =
      o.prompt == CountdownPrompt::kMathEval ? CountdownParser::kMathEval : CountdownParser::kEval;
  return {
      "countdown", {{"countdown_released", countdown_released}}, [parser](const Attempt& attempt) {
        const auto own = countdown_reward(attempt);
        const auto released = countdown_eval_released(attempt, parser);
        return of_one(own, own == 1.0, released && released->correct);
      }};
}

Parts parts_of(const Gsm8kOptions&) {
  return {"gsm8k",
          {{"xml_format", xml_format_reward},
           {"gsm8k_boxed_released", gsm8k_boxed_released},
           {"xmlcount_released", gsm8k_xml_count_released},
           {"soft_format_released", gsm8k_xml_soft_format_released},
           {"strict_format_released", gsm8k_xml_strict_format_released},
           {"int_released", gsm8k_xml_int_released},
           {"correctness_xml_released", gsm8k_xml_correctness_released}},
          [](const Attempt& attempt) {
            const auto own = gsm8k_reward(attempt);
            return of_one(own, own == 1.0, gsm8k_eval_released(attempt).correct);
          }};
}

Parts parts_of(const MathOptions&) {
  return {"math",
          {{"xml_format", xml_format_reward},
           {"math_boxed_released", math_boxed_released},
           {"math_xml_released", math_xml_released},
           {"math_format_released", math_format_released}},
          [](const Attempt& attempt) {
            const auto own = math_reward(attempt);
            return of_one(own, own == 1.0, math_eval_released(attempt).correct);
          }};
}

Verdict code_verdict(Sandbox& sandbox, const Attempt& attempt) {
  const Outcome outcome = judge_code(sandbox, attempt.completion, *attempt.example);
  check(outcome.kind != Outcome::Kind::kRefused,
        "the program could not be run contained: ", outcome.message);
  return {.own = static_cast<double>(outcome.passed) / outcome.total,
          .solved = outcome.kind == Outcome::Kind::kPassed,
          .right = outcome.passed,
          .asked = outcome.total,
          .outcome = std::string(enum_names(outcome.kind).at(static_cast<size_t>(outcome.kind)))};
}

Parts parts_of(const CodeOptions& o) {
  const auto sandbox = std::make_shared<Sandbox>(o.sandbox);
  return {"code",
          {{"code_format", code_format(sandbox)},
           {"code_released", code_released(sandbox)},
           {"code_format_released", code_format_released(sandbox)}},
          [sandbox](const Attempt& attempt) { return code_verdict(*sandbox, attempt); }};
}

/// 1 for the very answer, white space around aside.
std::optional<double> exact_reward(const Attempt& attempt) {
  return python_strip(attempt.completion) == python_strip(attempt.example->answer);
}

Parts parts_of(const CustomOptions& o) {
  const bool external = !o.external.command.empty();
  const Reward own = external ? external_reward(o.external) : exact_reward;
  Parts parts{external ? "external" : "exact", {}, [own](const Attempt& attempt) {
                const auto value = own(attempt);
                const bool right = value.value_or(0) >= 1;
                return Verdict{.own = value, .solved = right, .right = right, .asked = 1};
              }};
  if (external) parts.others.push_back({"exact", exact_reward});
  return parts;
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
              names_of(known), ", each with a weight: \"name weight, name weight\".",
              name == "external" ? " `external` needs task.external.command." : "");
  double weight = 1;
  if (space != std::string_view::npos) {
    const std::string_view text = python_strip(entry.substr(space));
    check_field(from_text(text, weight), "rewards", "the weight of ", name, " is '", text,
                "', expected a number.");
  }
  return {found->name, weight, found->reward};
}

/// "name weight, name weight"; empty: the first that is known.
std::vector<WeightedReward> chosen(std::string_view list, const std::vector<Named>& known) {
  if (list.empty()) return {{known[0].name, /*weight=*/1.0, known[0].reward}};
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
      [&](const auto& task) {
        Parts parts = parts_of(task);
        verdict_ = parts.verdict;
        std::vector<Named> known{{parts.own, [verdict = parts.verdict](const Attempt& attempt) {
                                    return attempt.verdict ? attempt.verdict->own
                                                           : verdict(attempt).own;
                                  }}};
        known.insert(known.end(), parts.others.begin(), parts.others.end());
        rewards_ = chosen(task.rewards, known);
      },
      options);
}

Verdict Judge::verdict(const Attempt& attempt) const {
  try {
    return verdict_(attempt);
  } catch (const std::exception& e) {
    throw Error(concat("[judge] ", attempt.example->source, ": ", e.what()));
  }
}

Judged Judge::judge(std::span<const Attempt> attempts, int threads) const {
  Judged judged{.scores = {}, .verdicts = std::vector<Verdict>(attempts.size())};
  std::vector<Attempt> seen(attempts.begin(), attempts.end());
  for_each_index(seen.size(), threads, [&](size_t i) {
    judged.verdicts[i] = verdict(seen[i]);
    seen[i].verdict = &judged.verdicts[i];
  });
  judged.scores = score(seen, rewards_, threads);
  return judged;
}

}  // namespace gdsd
