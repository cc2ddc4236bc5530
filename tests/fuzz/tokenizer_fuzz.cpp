// Loads a tokenizer from the input's files and encodes and decodes the input's text with it.
//
// The input is parts between zero bytes; the first says what the others are:
//   J  tokenizer.json, tokenizer_config.json, text
//   V  vocab.json, merges.txt, tokenizer_config.json, text
//   T  text, for two small tokenizers that are whole
#include <cstdlib>
#include <string>

#include "gdsd/base/check.h"
#include "gdsd/text/nfc.h"
#include "gdsd/text/tokenizer.h"
#include "gdsd/text/utf8.h"
#include "tests/text/tiny_bpe.h"

namespace gdsd {
namespace {

/// Stops the fuzzer unless `ok`.
void must(bool ok) {
  if (!ok) std::abort();
}

/// The bytes before the next zero, which are taken from `input`.
std::string next_part(std::string_view& input) {
  const size_t end = std::min(input.find('\0'), input.size());
  const std::string part(input.substr(0, end));
  input.remove_prefix(std::min(end + 1, input.size()));
  return part;
}

/// Uses the tokenizer; whatever the files said, ids are in range and decoding gives UTF-8.
void use(const Tokenizer& tokenizer, std::string_view text) {
  std::vector<int64_t> ids;
  try {
    ids = tokenizer.encode(text);
  } catch (const Error&) {
    return;  // not UTF-8, or not of the alphabet
  }
  must(find_invalid_utf8(text) == std::string_view::npos);
  for (int64_t id : ids) must(id >= 0 && id < tokenizer.size());
  must(find_invalid_utf8(tokenizer.decode(ids)) == std::string_view::npos);
}

/// Loads the files of these names from the input and uses them on the rest of it.
void use_files(const std::vector<std::string>& names, std::string_view input) {
  TokenizerFiles files;
  for (const std::string& name : names) files[name] = next_part(input);
  std::unique_ptr<Tokenizer> tokenizer;
  try {
    tokenizer = load_tokenizer(files, "input");
  } catch (const Error&) {
    return;
  }
  use(*tokenizer, input);
}

/// Nothing is lost by a tokenizer that is whole.
void use_text(std::string_view text) {
  static const auto llada = load_tokenizer(tiny_bpe::llada(), "llada");
  static const auto dream = load_tokenizer(tiny_bpe::dream(), "dream");
  use(*llada, text);
  use(*dream, text);
  const std::string replaced = replace_invalid_utf8(text);
  must((replaced == text) == (find_invalid_utf8(text) == std::string_view::npos));
  const std::string normal = nfc(replaced);
  must(nfc(normal) == normal);
  must(dream->decode(dream->encode(replaced), SpecialTokens::kKeep) == normal);
  must(nfc(llada->decode(llada->encode(replaced), SpecialTokens::kKeep)) == normal);
}

}  // namespace
}  // namespace gdsd

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {  // NOLINT: libFuzzer's
  using namespace gdsd;                                                    // NOLINT
  std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::string kind = next_part(input);
  if (kind == "T") {
    use_text(input);
  } else if (kind == "J") {
    use_files({"tokenizer.json", "tokenizer_config.json"}, input);
  } else if (kind == "V") {
    use_files({"vocab.json", "merges.txt", "tokenizer_config.json"}, input);
  }
  return 0;
}
