// Grade-school arithmetic: numbers in text, compared exactly.
#include "gdsd/reward/gsm8k.h"

#include <algorithm>

#include "gdsd/base/check.h"
#include "gdsd/text/answer.h"
#include "gdsd/text/ascii.h"
#include "gdsd/text/python_text.h"

namespace gdsd {
namespace {

/// The text with LaTeX's ways to write numbers undone: $1{,}234$, \$5, \frac{3}{4}, 1\,000.
std::string plain(std::string_view text) {
  std::string out(text);
  for (const auto& [latex, instead] : {std::pair("{,}", ","),
                                       {"\\,", ""},
                                       {"\\!", ""},
                                       {"\\$", "$"},
                                       {"\\dfrac", "\\frac"},
                                       {"\\tfrac", "\\frac"},
                                       {"−", "-"}})
    if (out.find(latex) != std::string::npos) out = replace_all(out, latex, instead);
  return out;
}

bool is_word(char c) { return is_digit(c) || c == '_' || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z'); }

/// The digits of a number in a text.
struct Literal {
  bool negative = false;
  std::string whole, fraction, divisor;
  int exponent = 0;
};

/// Reads a text from left to right.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  bool done() const { return at_ >= text_.size(); }

  /// The number that begins here, behind which the reader then stands; else nullopt, and it stands
  /// one character on.
  std::optional<Literal> next() {
    const size_t begin = at_;
    const bool inside_word = begin > 0 && is_word(text_[begin - 1]);
    Literal n;
    n.negative = peek() == '-';
    if (peek() == '-' || peek() == '+') ++at_;
    if (peek() == '$') ++at_;
    if (!inside_word && (fraction(n) || decimal(n))) return n;
    at_ = begin + 1;
    return std::nullopt;
  }

 private:
  char peek(size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }

  std::string digits() {
    const size_t begin = at_;
    while (is_digit(peek())) ++at_;
    return std::string(text_.substr(begin, at_ - begin));
  }

  bool take(std::string_view what) {
    const bool here = text_.substr(at_).starts_with(what);
    if (here) at_ += what.size();
    return here;
  }

  /// "\frac{3}{4}"; false leaves all as it was.
  bool fraction(Literal& n) {
    const size_t begin = at_;
    Literal read = n;
    if (take("\\frac{")) {
      read.whole = digits();
      const bool middle = take("}{");
      read.divisor = digits();
      if (middle && take("}") && !read.whole.empty() && !read.divisor.empty()) {
        n = std::move(read);
        return true;
      }
    }
    at_ = begin;
    return false;
  }

  /// "1,234.50", ".5", "1e3", "3/4"
  bool decimal(Literal& n) {
    n.whole = digits();
    const bool groups = !n.whole.empty() && n.whole.size() <= 3;
    while (groups && peek() == ',' && is_digit(peek(1)) && is_digit(peek(2)) && is_digit(peek(3)) &&
           !is_digit(peek(4))) {
      ++at_;
      n.whole += digits();
    }
    if (peek() == '.' && is_digit(peek(1))) {
      ++at_;
      n.fraction = digits();
    }
    if (n.whole.empty() && n.fraction.empty()) return false;
    exponent(n);
    if (peek() == '/' && is_digit(peek(1))) {
      ++at_;
      n.divisor = digits();
    }
    return true;
  }

  void exponent(Literal& n) {
    constexpr size_t kMostDigits = 2;
    const size_t begin = at_;
    if ((peek() | 0x20) != 'e') return;
    ++at_;
    const bool negative = peek() == '-';
    if (peek() == '-' || peek() == '+') ++at_;
    const std::string size = digits();
    if (size.empty() || size.size() > kMostDigits || is_word(peek()))
      at_ = begin;  // "5 eggs", "3em"
    else
      n.exponent = negative ? -std::stoi(size) : std::stoi(size);
  }

  std::string_view text_;
  size_t at_ = 0;
};

Integer integer(std::string digits) {
  digits.erase(0, std::min(digits.find_first_not_of('0'), digits.size()));  // else octal
  return digits.empty() ? Integer(0) : Integer(digits);
}

Integer power_of_ten(int exponent) { return pow(Integer(10), static_cast<unsigned>(exponent)); }

std::optional<Rational> value_of(const Literal& n) {
  constexpr size_t kMostDigits = 100;
  if (n.whole.size() + n.fraction.size() + n.divisor.size() > kMostDigits) return std::nullopt;
  Integer above = integer(n.whole + n.fraction), below = power_of_ten(std::ssize(n.fraction));
  (n.exponent < 0 ? below : above) *= power_of_ten(std::abs(n.exponent));
  if (!n.divisor.empty()) below *= integer(n.divisor);
  if (below == 0) return std::nullopt;
  return Rational(n.negative ? Integer(-above) : above, below);
}

/// The rest of the text after the last of a phrase.
std::optional<std::string_view> after_last(std::string_view text, std::string_view phrase) {
  const size_t at = text.rfind(phrase);
  return at == std::string_view::npos ? std::nullopt
                                      : std::optional(text.substr(at + phrase.size()));
}

std::optional<Rational> final_number(std::string_view completion) {
  struct Place {
    std::optional<std::string_view> text;
    Which which = Which::kLast;
  };
  const auto tagged = tagged_answer(completion);
  const Place places[] = {{tagged ? boxed_answer(*tagged) : std::nullopt},
                          {tagged},
                          {boxed_answer(completion)},
                          {after_last(completion, "####"), Which::kFirst},
                          {after_last(completion, "The answer is"), Which::kFirst},
                          {completion}};
  for (const auto& [text, which] : places) {
    if (!text) continue;
    if (auto number = number_in(*text, which)) return number;
  }
  return std::nullopt;
}

}  // namespace

std::optional<Rational> number_in(std::string_view text, Which which) {
  const std::string plain_text = plain(text);
  std::optional<Literal> found;
  for (Reader reader(plain_text); !reader.done();) {
    auto number = reader.next();
    if (number) found = std::move(number);
    if (found && which == Which::kFirst) break;
  }
  return found ? value_of(*found) : std::nullopt;
}

std::optional<double> gsm8k_reward(const Attempt& attempt) {
  const auto gold = number_in(attempt.example->answer, Which::kLast);
  check(gold.has_value(), "[gsm8k] the answer is \"", attempt.example->answer,
        "\", expected a number.");
  return final_number(attempt.completion) == gold ? 1.0 : 0.0;
}

std::optional<double> xml_format_reward(const Attempt& attempt) {
  std::string_view rest = attempt.completion;
  for (std::string_view tag : {"<reasoning>", "</reasoning>", "<answer>", "</answer>"}) {
    const size_t at = rest.find(tag);
    if (at == std::string_view::npos ||
        attempt.completion.rfind(tag) != attempt.completion.find(tag))
      return 0.0;
    // Between the tags may stand anything, around them only white space.
    const bool inside = tag.starts_with("</");
    if (!inside && !python_strip(rest.substr(0, at)).empty()) return 0.0;
    rest.remove_prefix(at + tag.size());
  }
  return python_strip(rest).empty() ? 1.0 : 0.0;
}

}  // namespace gdsd
