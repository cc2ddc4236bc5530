// Files of byte-level BPEs small enough to reckon by hand: LLaDA's kind and Dream's.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "gdsd/text/byte_alphabet.h"
#include "gdsd/text/pre_tokenizer.h"
#include "gdsd/text/tokenizer_files.h"

namespace gdsd::tiny_bpe {

using nlohmann::json;

/// Byte b is id b; the merges make ids 256, 257, …; the added tokens follow: "<|endoftext|>",
/// "<|mask|>", "<|mask|>!", which is not special, and "<|im_end|>", which Dream does not name.
inline const std::vector<std::pair<std::string, std::string>> kMerges{
    {"h", "e"}, {"Ġ", "t"},   {"Ġt", "he"}, {"Ã", "©"},   {"a", "b"},
    {"c", "d"}, {"ab", "cd"}, {"x", "x"},   {"xx", "xx"}, {"Ġ", "Ġ"}};
constexpr int64_t kHe = 256, kT = 257, kThe = 258, kEAcute = 259, kAb = 260, kCd = 261, kAbcd = 262,
                  kXx = 263, kXxxx = 264, kSpaces = 265;
constexpr int64_t kEos = 266, kMask = 267, kMaskMark = 268, kEnd = 269, kSize = 270;

inline json vocabulary() {
  json words = json::object();
  for (int b = 0; b < 256; ++b) words[word_of_bytes(std::string(1, static_cast<char>(b)))] = b;
  for (const auto& [left, right] : kMerges) {
    const size_t id = words.size();
    words[left + right] = id;
  }
  return words;
}

inline json added(const std::string& text, bool special) {
  return {{"content", text}, {"single_word", false}, {"lstrip", false},
          {"rstrip", false}, {"normalized", false},  {"special", special}};
}

inline json added_tokens_decoder() {
  return {{std::to_string(kEos), added("<|endoftext|>", true)},
          {std::to_string(kMask), added("<|mask|>", true)},
          {std::to_string(kMaskMark), added("<|mask|>!", false)},
          {std::to_string(kEnd), added("<|im_end|>", true)}};
}

inline json config(const std::string& tokenizer_class) {
  return {{"tokenizer_class", tokenizer_class},
          {"added_tokens_decoder", added_tokens_decoder()},
          {"eos_token", "<|endoftext|>"},
          {"mask_token", {{"content", "<|mask|>"}}},
          {"additional_special_tokens", {"<|mask|>"}},
          {"clean_up_tokenization_spaces", false}};
}

/// A tokenizer.json of LLaDA's kind.
inline json llada_document() {
  json tokens = json::array(), merges = json::array();
  const json decoder = added_tokens_decoder();
  for (const auto& [id, token] : decoder.items()) {
    tokens.push_back(token);
    tokens.back()["id"] = std::stoll(id);
  }
  for (const auto& [left, right] : kMerges) merges.push_back(left + " " + right);
  const json split{{"type", "Split"},
                   {"pattern", {{"Regex", kLladaSplit}}},
                   {"behavior", "Isolated"},
                   {"invert", false}};
  const json bytes{{"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", false}};
  return {{"version", "1.0"},
          {"truncation", nullptr},
          {"padding", nullptr},
          {"added_tokens", tokens},
          {"normalizer", {{"type", "NFC"}}},
          {"pre_tokenizer", {{"type", "Sequence"}, {"pretokenizers", {split, bytes}}}},
          {"post_processor", nullptr},
          {"decoder", {{"type", "ByteLevel"}}},
          {"model",
           {{"type", "BPE"}, {"unk_token", nullptr}, {"vocab", vocabulary()}, {"merges", merges}}}};
}

inline TokenizerFiles llada() {
  return {{"tokenizer.json", llada_document().dump()},
          {"tokenizer_config.json", config("PreTrainedTokenizerFast").dump()}};
}

inline std::string merges_txt() {
  std::string text = "#version: 0.2\n";
  for (const auto& [left, right] : kMerges) text += left + " " + right + "\n";
  return text;
}

inline TokenizerFiles dream() {
  return {{"vocab.json", vocabulary().dump()},
          {"merges.txt", merges_txt()},
          {"tokenizer_config.json", config("DreamTokenizer").dump()}};
}

}  // namespace gdsd::tiny_bpe
