// Countdown by construction: whatever is drawn has a solution, since it was made from one.
#include <algorithm>

#include "gdsd/base/check.h"
#include "gdsd/base/random.h"
#include "gdsd/data/arithmetic.h"
#include "gdsd/data/countdown.h"

namespace gdsd {
namespace {

constexpr double kHeldOutPart = 0.15;

std::string text_of(const CountdownPuzzle& puzzle, size_t width) {
  std::string text;
  const auto add = [&](int64_t n, char after) {
    const std::string digits = std::to_string(n);
    text += std::string(width - std::min(width, digits.size()), '0') + digits;
    if (after) text += after;
  };
  for (size_t i = 0; i < puzzle.numbers.size(); ++i)
    add(puzzle.numbers[i], i + 1 < puzzle.numbers.size() ? ',' : '=');
  add(puzzle.target, '\0');
  return text;
}

/// a op b where that is whole and positive.
std::optional<Term> join(const Term& a, char op, const Term& b) {
  auto both = combine(a, op, b);
  if (both && (both->den != 1 || both->num < 1)) both.reset();
  return both;
}

/// Joins two terms at random until one is left, or nullopt where a step has no positive whole value.
std::optional<Term> join_all(std::vector<Term> terms, const std::string& operators, Key key) {
  for (uint64_t at = 0; terms.size() > 1; at += 3) {
    const size_t i = below(key, at, terms.size());
    size_t j = below(key, at + 1, terms.size() - 1);
    j += j >= i;
    const auto both = join(terms[i], operators[below(key, at + 2, operators.size())], terms[j]);
    if (!both) return std::nullopt;
    terms[std::min(i, j)] = *both;
    terms.erase(terms.begin() + static_cast<std::ptrdiff_t>(std::max(i, j)));
  }
  return terms[0];
}

}  // namespace

std::string countdown_pair(const CountdownPuzzle& puzzle) {
  CountdownPuzzle sorted = puzzle;
  std::sort(sorted.numbers.begin(), sorted.numbers.end());
  return text_of(sorted, /*width=*/1);
}

bool is_held_out(const CountdownPuzzle& puzzle) {
  return uniform(Key{}.fork("countdown split").fork(countdown_pair(puzzle)), 0) < kHeldOutPart;
}

RandomCountdown::RandomCountdown(CountdownOptions options) : options_(std::move(options)) {
  options_.validate();
}

Example RandomCountdown::draw(Split split, Key key) const {
  constexpr uint64_t kTries = 1 << 16;
  const CountdownOptions& o = options_;
  const bool train = split == Split::kTrain;
  for (uint64_t attempt = 0; attempt < kTries; ++attempt) {
    const Key mine = key.fork("try", attempt);
    CountdownPuzzle puzzle;
    std::vector<Term> terms;
    for (int64_t i = 0; i < o.numbers; ++i) {
      puzzle.numbers.push_back(
          o.number_min + static_cast<int64_t>(below(mine, i, o.number_max - o.number_min + 1)));
      terms.push_back(number_term(puzzle.numbers.back()));
    }
    const auto made = join_all(std::move(terms), o.operators, mine.fork("join"));
    if (!made || made->num < o.target_min || made->num > o.target_max) continue;
    puzzle.target = made->num;
    if (is_held_out(puzzle) == train) continue;
    const std::string problem =
        text_of(puzzle, std::to_string(std::max(o.number_max, o.target_max)).size());
    return {.prompt = problem,
            .problem = problem,
            .answer = made->text,
            .source = train ? "countdown/train" : "countdown/held_out"};
  }
  throw Error(concat("[countdown] in ", kTries, " tries no ", o.numbers, " numbers of ",
                     o.number_min, " to ", o.number_max, " made a target of ", o.target_min, " to ",
                     o.target_max, " by ", o.operators, ". Widen the ranges."));
}

std::string RandomCountdown::demonstration(const Example& example, Key key) const {
  return countdown_demonstration(example, options_.right, key);
}

}  // namespace gdsd
