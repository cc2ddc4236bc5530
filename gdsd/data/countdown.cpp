// Countdown by enumeration: 364 multisets of three numbers, 1264 of them with a target.
#include "gdsd/data/countdown.h"

#include <algorithm>
#include <functional>
#include <map>

#include "gdsd/base/check.h"
#include "gdsd/base/random.h"

namespace gdsd {
namespace {

constexpr int64_t kLargest = 12;  // of the numbers; the target has two digits too
constexpr size_t kTrainingPairs = 1074;

std::string two_digits(int64_t n) { return (n < 10 ? "0" : "") + std::to_string(n); }

std::string expression(const std::vector<int64_t>& n, std::string_view signs) {
  return concat(n[0], signs[0], n[1], signs[1], n[2]);
}

int64_t value(const std::vector<int64_t>& n, std::string_view signs) {
  return n[0] + (signs[0] == '+' ? n[1] : -n[1]) + (signs[1] == '+' ? n[2] : -n[2]);
}

/// Every target that the numbers reach, with the preferred way to do so.
std::map<int64_t, std::string> answers(std::vector<int64_t> numbers) {
  std::map<int64_t, std::string> all;
  std::sort(numbers.begin(), numbers.end(), std::greater<>());
  for (std::string_view signs : {"++", "+-", "--"}) {  // "-+" reaches what "+-" has reached
    do {                                               // comes back to the sorted order
      const int64_t target = value(numbers, signs);
      if (target >= 1 && target <= 99) all.try_emplace(target, expression(numbers, signs));
    } while (std::prev_permutation(numbers.begin(), numbers.end()));
  }
  return all;
}

}  // namespace

std::string countdown_demonstration(const Example& example, double right, Key key) {
  const Key mine = key.fork("demonstration");  // a caller may draw the example from `key`
  if (uniform(mine, 0) < right) {
    check(!example.answer.empty(), "[countdown] ", example.source,
          ": no `solution`, which a demonstration would be. `gdsd data prepare` finds them.");
    return example.answer;
  }
  std::string text;
  const std::vector<int64_t> numbers = parse_countdown(example.problem).numbers;
  for (size_t i = 0; i < numbers.size(); ++i) {
    if (i > 0) text += "+-"[below(mine, i, 2)];
    text += std::to_string(numbers[i]);
  }
  return text;
}

void CountdownOptions::validate() const {
  files.validate(/*has_generator=*/true);
  check_count(numbers, "numbers", 2, 6);
  check_count(number_min, "number_min", 1, 999);
  check_count(number_max, "number_max", number_min, 999);
  check_count(target_min, "target_min", 1, 9999);
  check_count(target_max, "target_max", target_min, 9999);
  bool known = !operators.empty();
  for (size_t i = 0; i < operators.size(); ++i)
    known = known && std::string_view("+-*/").find(operators[i]) != std::string_view::npos &&
            operators.find(operators[i]) == i;
  check_field(known, "operators", "got '", operators, "', expected some of +-*/, each once.");
  check_field(right >= 0 && right <= 1, "right", "must be from 0 to 1, got ", right, ".");
}

bool CountdownOptions::is_small() const {
  const CountdownOptions small;
  return numbers == small.numbers && number_min == small.number_min &&
         number_max == small.number_max && target_min == small.target_min &&
         target_max == small.target_max && operators == small.operators;
}

Countdown::Countdown(CountdownOptions options) : options_(std::move(options)) {
  options_.validate();
  std::vector<Pair> pairs;
  for (int64_t a = 1; a <= kLargest; ++a)
    for (int64_t b = a; b <= kLargest; ++b)
      for (int64_t c = b; c <= kLargest; ++c)
        for (const auto& [target, answer] : answers({a, b, c}))
          pairs.push_back({{{a, b, c}, target}, answer});
  const auto order = permutation(Key{}.fork("countdown split"), static_cast<int64_t>(pairs.size()));
  for (size_t i = 0; i < order.size(); ++i)
    (i < kTrainingPairs ? training_ : held_out_).push_back(pairs[order[i]]);
}

Example Countdown::draw(Split split, Key key) const {
  const bool train = split == Split::kTrain;
  const std::vector<Pair>& pairs = train ? training_ : held_out_;
  const auto& [puzzle, answer] = pairs[below(key, 0, pairs.size())];
  const std::vector<int64_t> order = permutation(key.fork("order"), 3);
  std::string prompt;
  for (size_t i = 0; i < 3; ++i)
    prompt += two_digits(puzzle.numbers[order[i]]) + (i < 2 ? "," : "=");
  prompt += two_digits(puzzle.target);
  return {.prompt = prompt,
          .problem = prompt,
          .answer = answer,
          .source = train ? "countdown/train" : "countdown/held_out"};
}

std::string Countdown::demonstration(const Example& example, Key key) const {
  return countdown_demonstration(example, options_.right, key);
}

}  // namespace gdsd
