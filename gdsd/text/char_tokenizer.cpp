// One token per character, and its Hugging Face files: a WordLevel model behind a Split into
// single characters.
#include "gdsd/text/char_tokenizer.h"

#include <algorithm>
#include <array>
#include <iomanip>
#include <nlohmann/json.hpp>

#include "gdsd/base/check.h"
#include "gdsd/base/file.h"
#include "gdsd/text/tokenizer_files.h"

namespace gdsd {
namespace {

constexpr std::array<std::string_view, 3> kSpecial{"<|pad|>", "<|mask|>", "<|endoftext|>"};

bool printable(char c) { return c >= ' ' && c <= '~'; }

/// The character as an error message shows it: 'x', or its byte for what a terminal may not print.
std::string shown(char c) {
  if (printable(c)) return {'\'', c, '\''};
  return concat("byte 0x", std::hex, std::setfill('0'), std::setw(2),
                static_cast<int>(static_cast<unsigned char>(c)));
}

/// The words of a vocabulary, by id.
std::vector<std::string> words_by_id(const nlohmann::json& vocabulary) {
  check(vocabulary.is_object(), "the vocabulary is ", brief(vocabulary), ", expected an object.");
  const int64_t n = static_cast<int64_t>(vocabulary.size());
  std::vector<std::string> words(n);
  std::vector<bool> seen(n);
  for (const auto& [word, value] : vocabulary.items()) {
    check(value.is_number_integer(), "the id of '", word, "' is ", brief(value),
          ", expected an integer.");
    const int64_t id = value.get<int64_t>();
    check(id >= 0 && id < n && !seen[id], "the ids of ", n, " words must be 0 to ", n - 1,
          " without gaps, got ", id, " for '", word, "'.");
    seen[id] = true;
    words[id] = word;
  }
  return words;
}

}  // namespace

CharTokenizer::CharTokenizer(std::string_view alphabet) : alphabet_(alphabet) {
  check(!alphabet.empty(), "[tokenizer] the alphabet is empty, expected characters.");
  for (size_t i = 0; i < alphabet.size(); ++i) {
    check(printable(alphabet[i]), "[tokenizer] the alphabet has ", shown(alphabet[i]), " at ", i,
          ", expected printable ASCII.");
    check(alphabet.find(alphabet[i]) == i, "[tokenizer] the alphabet has ", shown(alphabet[i]),
          " twice, expected distinct characters.");
  }
}

std::vector<int64_t> CharTokenizer::encode(std::string_view text) const {
  std::vector<int64_t> ids;
  ids.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    const size_t at = alphabet_.find(text[i]);
    check(at != std::string::npos, "[tokenizer] cannot encode ", shown(text[i]), " at ", i,
          " of the text, expected characters of \"", alphabet_, "\".");
    ids.push_back(static_cast<int64_t>(kSpecial.size() + at));
  }
  return ids;
}

std::string CharTokenizer::decode(std::span<const int64_t> ids, SpecialTokens special) const {
  constexpr int64_t first = kSpecial.size();
  std::string text;
  for (int64_t id : ids) {
    if (id >= first && id < size())
      text += alphabet_[id - first];
    else if (id >= 0 && id < first && special == SpecialTokens::kKeep)
      text += kSpecial[id];
  }
  return text;
}

std::optional<int64_t> CharTokenizer::token_id(std::string_view token) const {
  const auto named = std::find(kSpecial.begin(), kSpecial.end(), token);
  if (named != kSpecial.end()) return named - kSpecial.begin();
  const size_t at = token.size() == 1 ? alphabet_.find(token) : std::string::npos;
  if (at == std::string::npos) return std::nullopt;
  return static_cast<int64_t>(kSpecial.size() + at);
}

int64_t CharTokenizer::size() const {
  return static_cast<int64_t>(kSpecial.size() + alphabet_.size());
}

void CharTokenizer::save(const std::filesystem::path& folder) const {
  using json = nlohmann::ordered_json;
  json vocabulary = json::object(), added = json::array();
  for (std::string_view word : kSpecial) {
    added.push_back({{"id", vocabulary.size()},
                     {"content", word},
                     {"single_word", false},
                     {"lstrip", false},
                     {"rstrip", false},
                     {"normalized", false},
                     {"special", true}});
    vocabulary[std::string(word)] = vocabulary.size();
  }
  for (char c : alphabet_) vocabulary[std::string(1, c)] = vocabulary.size();
  // The model's unknown word is not in its vocabulary: like encode(), Python refuses what it
  // cannot express.
  const json tokenizer{
      {"version", "1.0"},
      {"truncation", nullptr},
      {"padding", nullptr},
      {"added_tokens", added},
      {"normalizer", nullptr},
      {"pre_tokenizer",
       {{"type", "Split"},
        {"pattern", {{"Regex", "."}}},
        {"behavior", "Isolated"},
        {"invert", false}}},
      {"post_processor", nullptr},
      {"decoder", {{"type", "Fuse"}}},
      {"model", {{"type", "WordLevel"}, {"vocab", vocabulary}, {"unk_token", "<unk>"}}}};
  const json config{{"tokenizer_class", "PreTrainedTokenizerFast"},
                    {"pad_token", kSpecial[kPad]},
                    {"mask_token", kSpecial[kMask]},
                    {"eos_token", kSpecial[kEos]},
                    {"clean_up_tokenization_spaces", false}};
  write_file(folder / "tokenizer.json", tokenizer.dump(2) + "\n");
  write_file(folder / "tokenizer_config.json", config.dump(2) + "\n");
}

CharTokenizer CharTokenizer::from_json(const nlohmann::json& document) {
  const auto part = [&](const char* name) { return document.value(name, nlohmann::json()); };
  const nlohmann::json normalizer = part("normalizer"), split = part("pre_tokenizer");
  check(normalizer.is_null(), "the normalizer is ", brief(normalizer), ", expected none.");
  check(split.is_object() && split.value("type", nlohmann::json()) == "Split" &&
            split.value("pattern", nlohmann::json()) == nlohmann::json{{"Regex", "."}},
        "the pre_tokenizer is ", brief(split), ", expected a Split at the Regex '.'.");

  const std::vector<std::string> words = words_by_id(document.at("model").at("vocab"));
  std::string alphabet;
  for (size_t id = 0; id < words.size(); ++id) {
    if (id < kSpecial.size()) {
      check(words[id] == kSpecial[id], "id ", id, " is '", words[id], "', expected '", kSpecial[id],
            "'.");
    } else {
      check(words[id].size() == 1, "id ", id, " is '", words[id],
            "', expected a word of one character.");
      alphabet += words[id];
    }
  }
  return CharTokenizer(alphabet);
}

}  // namespace gdsd
