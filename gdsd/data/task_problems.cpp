#include "gdsd/data/task_problems.h"

#include <algorithm>
#include <map>
#include <set>

#include "gdsd/base/check.h"
#include "gdsd/base/random.h"
#include "gdsd/data/numpy_order.h"
#include "gdsd/text/utf8.h"

namespace gdsd {
namespace {

constexpr double kHeldOutPart = 0.1;    // of a training file without a test file
constexpr uint32_t kReleasedSeed = 42;  // of the released evaluations, which ask 256 problems
constexpr int64_t kReleasedCount = 256;

bool is_held_out(const std::string& family) {
  return uniform(Key{}.fork("held out of a file").fork(family), 0) < kHeldOutPart;
}

std::vector<Example> in_released_order(const std::vector<Example>& all) {
  check(std::ssize(all) >= kReleasedCount, "[task] order 'released' asks ", kReleasedCount,
        " problems, and `test` has ", all.size(), "; expected order 'file'.");
  std::vector<Example> out;
  for (int64_t i : numpy_choice(kReleasedSeed, std::ssize(all), kReleasedCount))
    out.push_back(all[i]);
  return out;
}

}  // namespace

TaskProblems::TaskProblems(TaskParts parts)
    : parts_(std::move(parts)),
      generates_training_(parts_.train.empty()),
      generates_held_out_(parts_.train.empty() && parts_.test.empty()) {
  std::map<std::string, std::string> sources;  // of the test problems
  for (const Example& e : parts_.test) sources.emplace(parts_.identity(e), e.source);
  for (const auto& [identity, source] : sources) test_identities_.push_back(identity);
  for (const Example& e : parts_.train) {
    const auto same = sources.find(parts_.identity(e));
    check(same == sources.end(), "[task] the training problem of ", e.source,
          " is also held out, as that of ", same == sources.end() ? "" : same->second,
          ". Take it out of one of the files.");
  }
  if (!parts_.test.empty()) {
    held_out_ = parts_.order == HeldOutOrder::kReleased ? in_released_order(parts_.test)
                                                        : std::move(parts_.test);
  } else if (!parts_.train.empty()) {
    const auto mine =
        std::stable_partition(parts_.train.begin(), parts_.train.end(),
                              [&](const Example& e) { return !is_held_out(parts_.family(e)); });
    held_out_.assign(mine, parts_.train.end());
    parts_.train.erase(mine, parts_.train.end());
  }
}

Example TaskProblems::worded(Example example) const {
  example.prompt = parts_.prompt(example);
  return example;
}

Example TaskProblems::generated(Split split, Key key) const {
  check(parts_.generator != nullptr,
        "[task] `train` names no file to draw training problems from. `gdsd data show` shows those "
        "of "
        "`test` with --split test.");
  // Redrawn where `test` has it: of the fewest puzzles, 1074, all would have to be held out.
  constexpr uint64_t kTries = 1000;
  Example example = parts_.generator->draw(split, key);
  for (uint64_t i = 0; std::binary_search(test_identities_.begin(), test_identities_.end(),
                                          parts_.identity(example));
       ++i) {
    check(i < kTries, "[task] ", kTries, " generated problems are all in `test`.");
    example = parts_.generator->draw(split, key.fork("again", i));
  }
  return worded(std::move(example));
}

Example TaskProblems::draw(Split split, Key key) const {
  const bool train = split == Split::kTrain;
  if (train ? generates_training_ : generates_held_out_) return generated(split, key);
  const std::vector<Example>& from = train ? parts_.train : held_out_;
  check(!from.empty(),
        "[task] of the problems of `train`, a tenth, by a hash of their text, is held "
        "out: here ",
        train ? "all" : "none", ". Name a `test` file of its own.");
  return worded(from[below(key, 0, from.size())]);
}

std::optional<int64_t> TaskProblems::held_out_size() const {
  return generates_held_out_ ? std::nullopt : std::optional(std::ssize(held_out_));
}

Example TaskProblems::held_out(int64_t i) const {
  if (generates_held_out_) return Problems::held_out(i);
  check(i >= 0 && i < std::ssize(held_out_), "[task] held-out problem ", i,
        " was asked for, and there are ", held_out_.size(), ", counted from 0.");
  return worded(held_out_[i]);
}

std::string TaskProblems::demonstration(const Example& example, Key key) const {
  return parts_.demonstrate(example, key);
}

std::string_view TaskProblems::alphabet() const {
  std::call_once(alphabet_once_, [&] {
    std::set<std::string> characters;
    const auto add = [&](std::string_view text) {
      for (size_t at = 0; at < text.size(); at += utf8_step(text, at).length)
        characters.emplace(text.substr(at, utf8_step(text, at).length));
    };
    if (parts_.generator) {
      add(parts_.generator->alphabet());
      add(worded(parts_.generator->draw(Split::kTrain, Key{})).prompt);
    }
    for (const auto* all : {&parts_.train, &held_out_})
      for (const Example& e : *all) {
        add(parts_.prompt(e));
        add(e.answer);
        try {
          add(parts_.demonstrate(e, Key{}));
        } catch (const Error&) {  // it has no solution to be taught
        }
      }
    for (const std::string& c : characters) alphabet_ += c;
  });
  return alphabet_;
}

}  // namespace gdsd
