#include "gdsd/text/byte_alphabet.h"

#include <array>

#include "gdsd/text/utf8.h"

namespace gdsd {
namespace {

constexpr size_t kCodes = 256 + 68;  // the code points in use are all below

struct Alphabet {
  std::array<char32_t, 256> code_of_byte{};
  std::array<int, kCodes> byte_of_code{};  ///< -1: not in the alphabet
};

constexpr Alphabet make_alphabet() {
  Alphabet a;
  for (int& byte : a.byte_of_code) byte = -1;
  char32_t next = 256;
  for (int b = 0; b < 256; ++b) {
    const bool itself = (b >= 33 && b <= 126) || (b >= 161 && b <= 172) || b >= 174;
    a.code_of_byte[b] = itself ? static_cast<char32_t>(b) : next++;
    a.byte_of_code[a.code_of_byte[b]] = b;
  }
  return a;
}

constexpr Alphabet kAlphabet = make_alphabet();

}  // namespace

std::optional<std::string> bytes_of_word(std::string_view word) {
  std::string bytes;
  for (size_t at = 0; at < word.size();) {
    const Utf8Step step = utf8_step(word, at);
    if (!step.valid) return std::nullopt;
    const char32_t code = utf8_code(word.substr(at, step.length));
    if (code >= kCodes || kAlphabet.byte_of_code[code] < 0) return std::nullopt;
    bytes += static_cast<char>(kAlphabet.byte_of_code[code]);
    at += step.length;
  }
  return bytes;
}

std::string word_of_bytes(std::string_view bytes) {
  std::string word;
  for (char c : bytes) append_utf8(word, kAlphabet.code_of_byte[static_cast<unsigned char>(c)]);
  return word;
}

}  // namespace gdsd
