// Sudoku as the released code scores it: against the solution that was stored.
#include <algorithm>
#include <array>

#include "gdsd/base/check.h"
#include "gdsd/base/regex.h"
#include "gdsd/reward/sudoku.h"
#include "gdsd/text/python_text.h"
#include "gdsd/text/utf8.h"

namespace gdsd {
namespace {

constexpr size_t kCells = 16;

/// A text as its characters, each with its bytes.
std::vector<std::string_view> characters(std::string_view text) {
  std::vector<std::string_view> all;
  for (size_t at = 0; at < text.size(); at += all.back().size())
    all.push_back(text.substr(at, utf8_step(text, at).length));
  return all;
}

bool is_space(std::string_view character) { return python_strip(character).empty(); }

bool is_decimal(std::string_view character) {
  return utf8_step(character, 0).valid && decimal_digit(utf8_code(character)).has_value();
}

struct Count {
  int right = 0, blanks = 0;
};

/// Compares the first 16 characters of `answer` with the solution, where the puzzle has a blank.
Count count_right(const Example& example, const std::vector<std::string_view>& answer) {
  const std::string &puzzle = example.problem, &solution = example.answer;
  check(puzzle.size() == kCells && solution.size() == kCells, "[sudoku] problem and answer have ",
        puzzle.size(), " and ", solution.size(), " characters, expected ", kCells,
        " each: the released rewards know no other sudoku.");
  Count count;
  for (size_t cell = 0; cell < kCells; ++cell) {
    if (puzzle[cell] != '0') continue;
    ++count.blanks;
    count.right += cell < answer.size() && answer[cell] == solution.substr(cell, 1);
  }
  return count;
}

/// What follows ``` inside the answer, if it is digits and white space up to the next ```.
std::optional<std::string_view> fenced(std::string_view text) {
  constexpr std::string_view kFence = "```";
  for (size_t at = std::min(text.find("<answer>"), text.size());;) {
    at = text.find(kFence, at);
    if (at == std::string_view::npos) return std::nullopt;
    const size_t begin = at + kFence.size();
    size_t end = begin;
    while (end < text.size()) {
      const std::string_view c = text.substr(end, utf8_step(text, end).length);
      if (!is_space(c) && !is_decimal(c)) break;
      end += c.size();
    }
    if (end > begin && text.substr(end).starts_with(kFence)) return text.substr(begin, end - begin);
    ++at;
  }
}

/// What stands after the first `open` up to the next of `ends`.
std::optional<std::string_view> after(std::string_view text, std::string_view open,
                                      std::initializer_list<std::string_view> ends) {
  const size_t begin = text.find(open);
  if (begin == std::string_view::npos) return std::nullopt;
  const std::string_view rest = text.substr(begin + open.size());
  size_t end = std::string_view::npos;
  for (std::string_view e : ends) end = std::min(end, rest.find(e));
  return end == std::string_view::npos ? std::nullopt : std::optional(rest.substr(0, end));
}

/// The last 16 digits before the first "</answer>" that has as many right before it.
std::optional<std::string_view> before_close(std::string_view text) {
  static const Regex digits(R"((\d{16})\s*</answer>)");
  const auto match = digits.search(text);
  return match ? std::optional(match->text(text, 1)) : std::nullopt;
}

std::optional<std::string_view> isolated(std::string_view text) {
  static const Regex digits(R"(\b(\d{16})\b)");
  const auto match = digits.search(text);
  return match ? std::optional(match->text(text, 1)) : std::nullopt;
}

/// What follows the first "</answer>", up to the end of the turn.
std::optional<std::string_view> after_close(std::string_view text) {
  constexpr std::string_view kClose = "</answer>";
  const size_t close = text.find(kClose);
  if (close == std::string_view::npos) return std::nullopt;
  const std::string_view rest = python_lstrip(text.substr(close + kClose.size()));
  return rest.substr(0, std::min(rest.find("<|eot_id|>"), rest.find("<|endoftext|>")));
}

}  // namespace

std::optional<double> sudoku_released(const Attempt& attempt) {
  const auto answer = last_between(attempt.completion, "<answer>", "</answer>");
  std::vector<std::string_view> digits;
  for (std::string_view c : characters(answer.value_or("")))
    if (python_isdigit(c)) digits.push_back(c);
  const auto [right, blanks] = count_right(*attempt.example, digits);
  return blanks == 0 ? 0.0 : static_cast<double>(right) / blanks;
}

ReleasedSudoku sudoku_eval_released(const Attempt& attempt) {
  const std::string_view text = attempt.generation;
  ReleasedSudoku result;
  std::vector<std::string_view> cells;
  const auto found = [&](std::optional<std::string_view> part) {
    if (part)
      for (std::string_view c : characters(*part))
        if (!is_space(c) && cells.size() < kCells) cells.push_back(c);
    return !cells.empty();
  };
  if (found(fenced(text)) ||
      found(after(text, "<answer>", {"<|eot_id|>", "<|endoftext|>", "</answer>"})) ||
      found(after_close(text)) || found(before_close(text)) || found(isolated(text)))
    cells.resize(kCells, "0");
  for (std::string_view c : cells) result.extracted += c;
  const auto [right, blanks] = count_right(*attempt.example, cells);
  result.right = right;
  result.blanks = blanks;
  return result;
}

}  // namespace gdsd
