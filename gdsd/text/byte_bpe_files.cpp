// Reads the files of a byte-level BPE and refuses, by name, what they ask that we do not do.
#include <algorithm>
#include <array>
#include <set>

#include "gdsd/base/check.h"

#include "gdsd/base/json.h"
#include "gdsd/text/byte_bpe.h"

namespace gdsd {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr const char* kConfig = "tokenizer_config.json";

json part(const json& object, const char* key) {
  check(object.is_object(), "got ", brief(object), ", expected an object with '", key, "'.");
  return object.value(key, json());
}

/// Throws unless `object` lacks `key` or has one of the values there.
void expect(const json& object, const char* key, const std::vector<json>& values) {
  const json value = part(object, key);
  if (value.is_null() || std::find(values.begin(), values.end(), value) != values.end()) return;
  std::string expected;
  for (const json& v : values) expected += brief(v) + " or ";
  check(false, "'", key, "' is ", brief(value), ", expected ", expected, "none.");
}

int64_t id_of(const json& id, const std::string& whose) {
  check(id.is_number_integer() && id >= 0 && id < ByteBpe::kMostIds, "the id of '", whose, "' is ",
        brief(id), ", expected 0 to ", ByteBpe::kMostIds - 1, ".");
  return id.get<int64_t>();
}

/// An added token of tokenizer.json, or of the config, where the id is the key.
AddedToken added_token(const json& entry, int64_t id) {
  for (const char* flag : {"single_word", "lstrip", "rstrip", "normalized"})
    expect(entry, flag, {false});
  return {.id = id,
          .text = entry.at("content").get<std::string>(),
          .special = entry.value("special", false)};
}

std::vector<AddedToken> added_tokens_of_config(const json& config) {
  std::vector<AddedToken> tokens;
  const json decoder = part(config, "added_tokens_decoder");
  check(decoder.is_null() || decoder.is_object(), "'added_tokens_decoder' is ", brief(decoder),
        ", expected an object.");
  for (const auto& [key, entry] : decoder.items()) {
    const bool number =
        !key.empty() && key.size() < 10 &&
        std::all_of(key.begin(), key.end(), [](char c) { return '0' <= c && c <= '9'; });
    check(number, "'added_tokens_decoder' has the id '", key, "', expected a number.");
    tokens.push_back(added_token(entry, std::stoll(key)));
  }
  return tokens;
}

/// The texts of bos_token, eos_token, … and additional_special_tokens.
std::set<std::string> named_tokens(const json& config) {
  std::set<std::string> names;
  const auto take = [&](const char* key, const json& value) {
    if (value.is_null()) return;
    const json text = value.is_object() ? part(value, "content") : value;
    check(text.is_string(), "'", key, "' is ", brief(value), ", expected a token.");
    names.insert(text.get<std::string>());
  };
  for (const char* key :
       {"bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"})
    take(key, part(config, key));
  const char* several = "additional_special_tokens";
  const json additional = part(config, several);
  check(additional.is_null() || additional.is_array(), "'", several, "' is ", brief(additional),
        ", expected a list.");
  for (const json& value : additional) take(several, value);
  return names;
}

/// Python adds named tokens that the vocabulary lacks; we do not.
void check_named(const std::set<std::string>& names, const std::vector<AddedToken>& added) {
  for (const std::string& name : names)
    check(std::any_of(added.begin(), added.end(),
                      [&](const AddedToken& token) { return token.text == name; }),
          "the special token '", name, "' is none of the added tokens.");
}

void check_config(const json& config) {
  for (const char* key : {"clean_up_tokenization_spaces", "split_special_tokens",
                          "add_prefix_space", "add_bos_token", "add_eos_token"})
    expect(config, key, {false});
  expect(config, "errors", {"replace"});
}

void check_post_processor(const json& processor) {
  if (processor.is_null()) return;
  const json type = part(processor, "type");
  if (type == "Sequence") {
    for (const json& one : processor.at("processors")) check_post_processor(one);
  } else if (type == "TemplateProcessing") {
    for (const json& item : processor.at("single"))
      check(item.contains("Sequence"), "the post_processor adds ", brief(item),
            " to the text, expected nothing.");
  } else {
    check(type == "ByteLevel", "the post_processor is ", brief(processor),
          ", expected ByteLevel, a TemplateProcessing or none.");
  }
}

/// The regular expression that the pre_tokenizer splits at.
std::string split_of(const json& pre_tokenizer) {
  const json* steps = nullptr;
  if (part(pre_tokenizer, "type") == "Sequence") steps = &pre_tokenizer.at("pretokenizers");
  check(steps && steps->is_array() && steps->size() == 2 && part((*steps)[0], "type") == "Split" &&
            part((*steps)[1], "type") == "ByteLevel",
        "the pre_tokenizer is ", brief(pre_tokenizer),
        ", expected a Sequence of Split and ByteLevel.");
  const json &split = (*steps)[0], &bytes = (*steps)[1];
  expect(split, "behavior", {"Isolated"});
  expect(split, "invert", {false});
  check(bytes.value("add_prefix_space", true) == false && bytes.value("use_regex", true) == false,
        "the pre_tokenizer's ByteLevel is ", brief(bytes),
        ", expected add_prefix_space and use_regex false.");
  const json pattern = part(split.at("pattern"), "Regex");
  check(pattern == kLladaSplit || pattern == kQwenSplit, "the pre_tokenizer splits at ",
        brief(split.at("pattern")), ", expected the Regex of LLaDA or of Qwen2.");
  return pattern.get<std::string>();
}

std::pair<std::string, std::string> merge_of(const json& entry) {
  if (entry.is_array() && entry.size() == 2)
    return {entry[0].get<std::string>(), entry[1].get<std::string>()};
  const auto text = entry.is_string() ? entry.get<std::string>() : "";
  const size_t space = text.find(' ');
  check(space != std::string::npos && text.find(' ', space + 1) == std::string::npos, "a merge is ",
        brief(entry), ", expected two words.");
  return {text.substr(0, space), text.substr(space + 1)};
}

std::map<std::string, int64_t> vocabulary_of(const json& vocab) {
  check(vocab.is_object(), "the vocabulary is ", brief(vocab), ", expected an object.");
  std::map<std::string, int64_t> ids;
  for (const auto& [word, id] : vocab.items()) {
    ids.emplace_hint(ids.end(), word, id_of(id, word));
  }
  return ids;
}

ByteBpeParts parts_of(const json& document) {
  for (const char* key : {"truncation", "padding"}) expect(document, key, {});
  check(document.value("/normalizer/type"_json_pointer, json()) == "NFC", "the normalizer is ",
        brief(part(document, "normalizer")), ", expected NFC.");
  check(document.value("/decoder/type"_json_pointer, json()) == "ByteLevel", "the decoder is ",
        brief(part(document, "decoder")), ", expected ByteLevel.");
  check_post_processor(part(document, "post_processor"));
  const json& model = document.at("model");
  expect(model, "dropout", {0.0});
  expect(model, "unk_token", {});
  for (const char* key : {"continuing_subword_prefix", "end_of_word_suffix"})
    expect(model, key, {""});
  for (const char* key : {"fuse_unk", "byte_fallback", "ignore_merges"})
    expect(model, key, {false});

  ByteBpeParts parts;
  parts.split = split_of(part(document, "pre_tokenizer"));
  parts.vocabulary = vocabulary_of(model.at("vocab"));
  for (const json& entry : model.at("merges")) parts.merges.push_back(merge_of(entry));
  for (const json& entry : part(document, "added_tokens"))
    parts.added.push_back(added_token(entry, id_of(entry.at("id"), "an added token")));
  return parts;
}

/// merges.txt: two words a line, in order; the first line may be "#version: …".
std::vector<std::pair<std::string, std::string>> merges_of(std::string_view text) {
  std::vector<std::pair<std::string, std::string>> merges;
  const auto next_word = [](std::string_view& line) {
    line.remove_prefix(std::min(line.find_first_not_of(" \t\r"), line.size()));
    const std::string_view word = line.substr(0, line.find_first_of(" \t\r"));
    line.remove_prefix(word.size());
    return std::string(word);
  };
  for (size_t number = 1; !text.empty(); ++number) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (number == 1 && line.starts_with("#version:")) continue;
    std::string left = next_word(line), right = next_word(line), more = next_word(line);
    if (left.empty()) continue;
    check(!right.empty() && more.empty(), "line ", number, " is not a merge, expected two words.");
    merges.emplace_back(std::move(left), std::move(right));
  }
  return merges;
}

}  // namespace

std::unique_ptr<ByteBpe> byte_bpe_from_json(const TokenizerFiles& files, const json& document,
                                            const fs::path& folder) {
  std::unique_ptr<ByteBpe> tokenizer;
  std::vector<AddedToken> added;
  in_file(folder / "tokenizer.json", [&] {
    ByteBpeParts parts = parts_of(document);
    added = parts.added;
    parts.files = files;
    tokenizer = std::make_unique<ByteBpe>(std::move(parts));
  });
  if (const auto file = files.find(kConfig); file != files.end())
    in_file(folder / kConfig, [&] {
      const json config = parse_json(file->second);
      check_config(config);
      check_named(named_tokens(config), added);
      for (const AddedToken& token : added_tokens_of_config(config))
        check(std::find(added.begin(), added.end(), token) != added.end(), "the added token ",
              token.id, " '", token.text, "' is not in tokenizer.json, or not as it is there.");
    });
  return tokenizer;
}

std::unique_ptr<ByteBpe> byte_bpe_from_vocab(const TokenizerFiles& files, const fs::path& folder) {
  ByteBpeParts parts;
  parts.reference = Reference::kPythonClass;
  parts.split = kQwenSplit;
  parts.files = files;
  check(files.contains(kConfig), "[tokenizer] no ", (folder / kConfig).string(),
        ", which names the special tokens of vocab.json.");
  in_file(folder / kConfig, [&] {
    const json config = parse_json(files.at(kConfig));
    check(part(config, "tokenizer_class") == "DreamTokenizer", "'tokenizer_class' is ",
          brief(part(config, "tokenizer_class")),
          ", expected \"DreamTokenizer\" with vocab.json and no tokenizer.json.");
    check_config(config);
    parts.added = added_tokens_of_config(config);
    const std::set<std::string> named = named_tokens(config);
    check_named(named, parts.added);
    // The Python class leaves out what has a name; an added token's own mark is not looked at.
    for (AddedToken& token : parts.added) token.special = named.contains(token.text);
  });
  in_file(folder / "merges.txt", [&] { parts.merges = merges_of(files.at("merges.txt")); });
  std::unique_ptr<ByteBpe> tokenizer;
  in_file(folder / "vocab.json", [&] {
    parts.vocabulary = vocabulary_of(parse_json(files.at("vocab.json")));
    tokenizer = std::make_unique<ByteBpe>(std::move(parts));
  });
  return tokenizer;
}

}  // namespace gdsd
