#include "gdsd/text/tokenizer.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>

#include "gdsd/base/check.h"
#include "gdsd/base/file.h"
#include "gdsd/base/random.h"
#include "gdsd/text/char_tokenizer.h"
#include "tests/error_of.h"

namespace gdsd {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

/// A new folder, gone with the test.
struct Folder {
  Folder() {
    std::string name = testing::TempDir() + "tokenizer_test_XXXXXX";
    path = mkdtemp(name.data());
  }
  ~Folder() { fs::remove_all(path); }
  fs::path path;
};

json saved(const Tokenizer& tokenizer, const fs::path& path) {
  tokenizer.save(path);
  return json::parse(read_file(path / "tokenizer.json"));
}

TEST(CharTokenizer, SpecialTokensComeFirstThenTheAlphabet) {
  const CharTokenizer t("10+");
  EXPECT_EQ(t.encode("0+1"), (std::vector<int64_t>{4, 5, 3}));
  EXPECT_EQ(t.size(), 6);
  EXPECT_EQ((std::vector<int64_t>{t.kPad, t.kMask, t.kEos}), (std::vector<int64_t>{0, 1, 2}));
}

TEST(CharTokenizer, DecodeUndoesEncode) {
  const std::string alphabet = "0123456789+-*/(),=";
  const CharTokenizer t(alphabet);
  for (uint64_t i = 0; i < 100; ++i) {
    std::string text;
    for (uint64_t c = 0; c < i; ++c) text += alphabet[below(Key{i}, c, alphabet.size())];
    EXPECT_EQ(t.decode(t.encode(text)), text);
  }
}

TEST(CharTokenizer, DecodeLeavesOutSpecialAndUnknownIds) {
  EXPECT_EQ(CharTokenizer("ab").decode(std::vector<int64_t>{0, 4, 1, 5, -1, 3, 2, 1 << 20}), "ba");
}

TEST(CharTokenizer, ErrorsNameTheCharacterAndItsPlace) {
  const CharTokenizer t("ab");
  EXPECT_EQ(error_of([&] { t.encode("abc"); }),
            "[tokenizer] cannot encode 'c' at 2 of the text, expected characters of \"ab\".");
  EXPECT_EQ(error_of([&] { t.encode("a\n"); }),
            "[tokenizer] cannot encode byte 0x0a at 1 of the text, expected characters of \"ab\".");
  EXPECT_EQ(error_of([] { CharTokenizer("abca"); }),
            "[tokenizer] the alphabet has 'a' twice, expected distinct characters.");
  EXPECT_EQ(error_of([] { CharTokenizer("a\xc3\xa9"); }),
            "[tokenizer] the alphabet has byte 0xc3 at 1, expected printable ASCII.");
  EXPECT_EQ(error_of([] { CharTokenizer("\x7f"); }),
            "[tokenizer] the alphabet has byte 0x7f at 0, expected printable ASCII.");
  EXPECT_EQ(error_of([] { CharTokenizer(""); }),
            "[tokenizer] the alphabet is empty, expected characters.");
}

TEST(CharTokenizer, SavesWhatThePythonLibraryWrites) {
  // tokenizers 0.23.3: Tokenizer(WordLevel(vocab)), Split(Regex("."), "isolated"), Fuse(),
  // add_special_tokens([AddedToken(t, special=True, normalized=False) for t in …]), to_str().
  const json expected = json::parse(R"({
    "version": "1.0", "truncation": null, "padding": null,
    "added_tokens": [
      {"id": 0, "content": "<|pad|>", "single_word": false, "lstrip": false, "rstrip": false,
       "normalized": false, "special": true},
      {"id": 1, "content": "<|mask|>", "single_word": false, "lstrip": false, "rstrip": false,
       "normalized": false, "special": true},
      {"id": 2, "content": "<|endoftext|>", "single_word": false, "lstrip": false, "rstrip": false,
       "normalized": false, "special": true}],
    "normalizer": null,
    "pre_tokenizer":
      {"type": "Split", "pattern": {"Regex": "."}, "behavior": "Isolated", "invert": false},
    "post_processor": null,
    "decoder": {"type": "Fuse"},
    "model": {"type": "WordLevel", "vocab": {"<|pad|>": 0, "<|mask|>": 1, "<|endoftext|>": 2,
      "0": 3, "1": 4, "+": 5, " ": 6, "\"": 7}, "unk_token": "<unk>"}})");
  const Folder folder;
  EXPECT_EQ(saved(CharTokenizer("01+ \""), folder.path), expected);
  const json config = json::parse(read_file(folder.path / "tokenizer_config.json"));
  EXPECT_EQ(config.at("tokenizer_class"), "PreTrainedTokenizerFast");
  EXPECT_EQ(config.at("pad_token"), "<|pad|>");
  EXPECT_EQ(config.at("mask_token"), "<|mask|>");
  EXPECT_EQ(config.at("eos_token"), "<|endoftext|>");
}

TEST(CharTokenizer, KeepsSpecialTokensWhenAsked) {
  const CharTokenizer t("ab");
  const std::vector<int64_t> ids{3, 1, 4, 2, 9, -1};
  EXPECT_EQ(t.decode(ids), "ab");
  EXPECT_EQ(t.decode(ids, SpecialTokens::kKeep), "a<|mask|>b<|endoftext|>");
}

TEST(CharTokenizer, FindsTokensByTheirText) {
  const CharTokenizer t("ab");
  EXPECT_EQ(t.token_id("<|mask|>"), t.kMask);
  EXPECT_EQ(t.token_id("b"), 4);
  EXPECT_EQ(t.token_id("c"), std::nullopt);
  EXPECT_EQ(t.token_id("ab"), std::nullopt);
  EXPECT_EQ(t.token_id(""), std::nullopt);
}

TEST(LoadTokenizer, LoadsWhatWasSaved) {
  const Folder folder;
  const CharTokenizer t("z01 \\\"(a");  // neither sorted nor free of JSON's own characters
  t.save(folder.path);
  const std::unique_ptr<Tokenizer> again = load_tokenizer(folder.path);
  EXPECT_EQ(again->size(), t.size());
  EXPECT_EQ(again->encode("z01 \\\"(a"), t.encode("z01 \\\"(a"));
}

TEST(LoadTokenizer, ErrorsNameTheFileAndWhatWasFound) {
  const Folder folder;
  const fs::path& path = folder.path;
  const fs::path file = path / "tokenizer.json";
  const json good = saved(CharTokenizer("ab"), path);
  const std::string start = "[tokenizer] " + file.string() + ": ";
  const auto error_for = [&](const std::string& pointer, const json& value) {
    json changed = good;
    changed[json::json_pointer(pointer)] = value;
    write_file(file, changed.dump());
    const std::string e = error_of([&] { load_tokenizer(path); });
    EXPECT_TRUE(e.starts_with(start)) << e;
    return e.substr(std::min(e.size(), start.size()));
  };
  EXPECT_EQ(error_for("/model/type", "Unigram"),
            "the model type is 'Unigram', expected WordLevel or BPE.");
  EXPECT_EQ(error_for("/model/vocab/b", 5),
            "the ids of 5 words must be 0 to 4 without gaps, got 5 for 'b'.");
  EXPECT_EQ(error_for("/model/vocab/b", 3),
            "the ids of 5 words must be 0 to 4 without gaps, got 3 for 'b'.");
  EXPECT_EQ(error_for("/model/vocab/b", -1),
            "the ids of 5 words must be 0 to 4 without gaps, got -1 for 'b'.");
  EXPECT_EQ(error_for("/model/vocab/b", "4"), "the id of 'b' is \"4\", expected an integer.");
  EXPECT_EQ(error_for("/model/vocab/word", 5), "id 5 is 'word', expected a word of one character.");
  EXPECT_EQ(error_for("/model/vocab", {{"a", 0}, {"b", 1}}), "id 0 is 'a', expected '<|pad|>'.");
  EXPECT_EQ(error_for("/normalizer", {{"type", "NFC"}}),
            "the normalizer is {\"type\":\"NFC\"}, expected none.");
  EXPECT_EQ(error_for("/pre_tokenizer", {{"type", "Whitespace"}}),
            "the pre_tokenizer is {\"type\":\"Whitespace\"}, expected a Split at the Regex '.'.");
  EXPECT_TRUE(error_for("/pre_tokenizer/pattern", {{"Regex", ".."}}).starts_with("the pre_token"));
  EXPECT_TRUE(error_for("/model", 3).starts_with("not a tokenizer.json: "));
  EXPECT_EQ(error_for("/model/vocab", 3), "the vocabulary is 3, expected an object.");
  write_file(file, "{\"model\":");
  EXPECT_TRUE(error_of([&] { load_tokenizer(path); }).starts_with(start + "not a tokenizer.json"));
  EXPECT_NE(error_of([&] { load_tokenizer(path / "nowhere"); }).find("nowhere/tokenizer.json"),
            std::string::npos);
}

}  // namespace
}  // namespace gdsd
