#include "gdsd/text/byte_bpe.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <thread>

#include "gdsd/base/check.h"
#include "gdsd/base/file.h"
#include "gdsd/base/random.h"
#include "gdsd/text/nfc.h"
#include "gdsd/text/utf8.h"
#include "tests/error_of.h"
#include "tests/text/tiny_bpe.h"

namespace gdsd {
namespace {

namespace fs = std::filesystem;
using namespace tiny_bpe;  // NOLINT: its names are the subject
using Ids = std::vector<int64_t>;

const Tokenizer& llada_like() {
  static const auto t = load_tokenizer(llada(), "memory");
  return *t;
}
const Tokenizer& dream_like() {
  static const auto t = load_tokenizer(dream(), "memory");
  return *t;
}

TEST(ByteBpe, EncodesWordsByTheirMerges) {
  for (const Tokenizer* t : {&llada_like(), &dream_like()}) {
    EXPECT_EQ(t->encode(""), Ids{});
    EXPECT_EQ(t->encode("he the"), (Ids{kHe, kThe}));
    EXPECT_EQ(t->encode("abcd abc"), (Ids{kAbcd, ' ', kAb, 'c'}));
    EXPECT_EQ(t->encode("xxxxx"), (Ids{kXxxx, 'x'}));
    EXPECT_EQ(t->encode("a   b"), (Ids{'a', kSpaces, ' ', 'b'}));  // never across pieces
    EXPECT_EQ(t->encode("\u00e9"), Ids{kEAcute});
    EXPECT_EQ(t->encode("e\u0301"), Ids{kEAcute});
    EXPECT_EQ(t->encode("\u4e2d"), (Ids{0xe4, 0xb8, 0xad}));
    EXPECT_EQ(t->encode(std::string("\0", 1)), Ids{0});
    EXPECT_EQ(t->size(), kSize);
  }
}

TEST(ByteBpe, MatchesAddedTokensFirstAndTheLongest) {
  for (const Tokenizer* t : {&llada_like(), &dream_like()}) {
    EXPECT_EQ(t->encode("he<|mask|>he"), (Ids{kHe, kMask, kHe}));
    EXPECT_EQ(t->encode("<|mask|>!"), Ids{kMaskMark});
    EXPECT_EQ(t->encode("<|mask|><|endoftext|>"), (Ids{kMask, kEos}));
    EXPECT_EQ(t->encode("<<|mask|>"), (Ids{'<', kMask}));
    EXPECT_EQ(t->encode("<|mask"), (Ids{'<', '|', 'm', 'a', 's', 'k'}));
    EXPECT_EQ(t->encode("<|mask|<|mask|>").back(), kMask);
  }
}

TEST(ByteBpe, DreamNormalisesBeforeItLooksForAddedTokens) {
  const std::string text = "<|mask|>\u0338";  // > and U+0338 make U+226F
  EXPECT_EQ(llada_like().encode(text), (Ids{kMask, 0xcc, 0xb8}));
  EXPECT_EQ(dream_like().encode(text), (Ids{'<', '|', 'm', 'a', 's', 'k', '|', 0xe2, 0x89, 0xaf}));
}

TEST(ByteBpe, LeavesOutWhatTheReferenceCallsSpecial) {
  const Ids ids{kHe, kEos, kMask, kMaskMark, kEnd, 'x'};
  for (const Tokenizer* t : {&llada_like(), &dream_like()})
    EXPECT_EQ(t->decode(ids, SpecialTokens::kKeep), "he<|endoftext|><|mask|><|mask|>!<|im_end|>x");
  EXPECT_EQ(llada_like().decode(ids), "he<|mask|>!x");
  EXPECT_EQ(dream_like().decode(ids), "he<|mask|>!<|im_end|>x");  // it has no name
}

TEST(ByteBpe, DecodesBrokenCharactersAndUnknownIds) {
  const Tokenizer& t = llada_like();
  EXPECT_EQ(t.decode(Ids{0xe4, 0xb8}), "\ufffd");
  EXPECT_EQ(t.decode(Ids{0xe4, kMask, 0xb8, 0xad}), "\u4e2d");  // the bytes meet
  EXPECT_EQ(t.decode(Ids{0xe4, kMask, 0xb8, 0xad}, SpecialTokens::kKeep),
            "\ufffd<|mask|>\ufffd\ufffd");
  EXPECT_EQ(t.decode(Ids{-1, 'a', kSize, INT64_MAX, INT64_MIN, 'b'}), "ab");
}

TEST(ByteBpe, FindsTokensByTheirText) {
  const Tokenizer& t = dream_like();
  EXPECT_EQ(t.token_id("<|im_end|>"), kEnd);
  EXPECT_EQ(t.token_id(" the"), kThe);
  EXPECT_EQ(t.token_id("the"), std::nullopt);
  EXPECT_EQ(t.token_id(""), std::nullopt);
}

/// A text of the pieces that are likely to go wrong.
std::string random_text(Key key) {
  static const std::vector<std::string> pool{"he",       " the",       "abcd",
                                             "xx",       " ",          "  ",
                                             "\n",       "'s",         "1",
                                             "<|mask|>", "<|mask",     "!",
                                             "e\u0301",  "\u00e9",     "\u0338",
                                             "\u4e2d",   "ſ",          "\U0001f642",
                                             "\u0327",   "\u0085",     "\U0001e4d0",
                                             "|>",       "<",          "\u1100",
                                             "\u1161",   "<|im_end|>", std::string("\0", 1)};
  std::string text;
  const uint64_t n = below(key.fork("length"), 0, 16);
  for (uint64_t i = 0; i < n; ++i) text += pool[below(key, i, pool.size())];
  return text;
}

TEST(ByteBpe, DecodeUndoesEncodeUpToNfc) {
  for (uint64_t i = 0; i < 5000; ++i) {
    const std::string text = random_text(Key{i});
    EXPECT_EQ(dream_like().decode(dream_like().encode(text), SpecialTokens::kKeep), nfc(text));
    EXPECT_EQ(nfc(llada_like().decode(llada_like().encode(text), SpecialTokens::kKeep)), nfc(text));
  }
}

TEST(ByteBpe, RandomBytesAreEncodedOrRefusedByTheirPlace) {
  for (uint64_t i = 0; i < 5000; ++i) {
    std::string bytes;
    for (uint64_t b = 0; b < i % 12; ++b) bytes += static_cast<char>(below(Key{i}, b, 256));
    const size_t bad = find_invalid_utf8(bytes);
    for (const Tokenizer* t : {&llada_like(), &dream_like()}) {
      if (bad == std::string::npos)
        EXPECT_EQ(t->decode(t->encode(bytes), SpecialTokens::kKeep), nfc(bytes));
      else
        EXPECT_EQ(error_of([&] { t->encode(bytes); }),
                  concat("[tokenizer] the text is not UTF-8 at byte ", bad, "."));
    }
  }
}

TEST(ByteBpe, ManyThreadsEncodeAlike) {
  std::vector<std::string> texts(20);
  std::vector<Ids> expected;
  for (uint64_t i = 0; i < texts.size(); ++i) {
    for (uint64_t part = 0; part < 300; ++part) texts[i] += random_text(Key{i}.fork("part", part));
    expected.push_back(dream_like().encode(texts[i]));
  }
  std::vector<std::thread> threads;
  std::array<size_t, 4> wrong{};
  for (size_t& count : wrong)
    threads.emplace_back([&] {
      for (size_t i = 0; i < 20 * texts.size(); ++i)
        count += dream_like().encode(texts[i % texts.size()]) != expected[i % texts.size()];
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, (std::array<size_t, 4>{}));
}

TEST(ByteBpe, MergesMayBeListsOfTwo) {
  json document = llada_document();
  for (json& merge : document["model"]["merges"]) {
    const auto text = merge.get<std::string>();
    const size_t space = text.find(' ');
    merge = {text.substr(0, space), text.substr(space + 1)};
  }
  const auto t = load_tokenizer({{"tokenizer.json", document.dump()}}, "memory");
  EXPECT_EQ(t->encode("abcd the<|mask|>"), (Ids{kAbcd, kThe, kMask}));
}

TEST(ByteBpe, AnAddedTokenMayBeAWordToo) {
  json document = llada_document();
  document["added_tokens"].push_back(added("abcd", true));
  document["added_tokens"].back()["id"] = kAbcd;
  const auto t = load_tokenizer({{"tokenizer.json", document.dump()}}, "memory");
  EXPECT_EQ(t->encode("xabcdx"), (Ids{'x', kAbcd, 'x'}));
  EXPECT_EQ(t->decode(Ids{'x', kAbcd}), "x");
}

TEST(ByteBpe, LibraryReadsAddedTokensInTheByteAlphabet) {
  // As tokenizers' ByteLevel decoder does with any token; DreamTokenizer keeps the text.
  TokenizerFiles files = dream();
  json document = llada_document(), settings = config("DreamTokenizer");
  document["added_tokens"].push_back(added("Ġ", false));
  document["added_tokens"].back()["id"] = kSize;
  settings["added_tokens_decoder"][std::to_string(kSize)] = added("Ġ", false);
  files["tokenizer_config.json"] = settings.dump();
  EXPECT_EQ(load_tokenizer({{"tokenizer.json", document.dump()}}, "memory")->decode(Ids{kSize}),
            " ");
  EXPECT_EQ(load_tokenizer(files, "memory")->decode(Ids{kSize}), "Ġ");
}

TEST(ByteBpe, SavesTheFilesItWasLoadedFrom) {
  for (const TokenizerFiles& kind : {llada(), dream()}) {
    std::string name = testing::TempDir() + "byte_bpe_test_XXXXXX";
    const fs::path from = mkdtemp(name.data()), to = from / "saved";
    fs::create_directory(to);
    TokenizerFiles files = kind;
    json settings = json::parse(files.at("tokenizer_config.json"));
    settings["auto_map"] = {{"AutoTokenizer", {"its_code.Class", nullptr, "deep/code.Class"}}};
    files["tokenizer_config.json"] = settings.dump(3);
    files["special_tokens_map.json"] =
        "{\"not\" \"JSON\"";  // LLaDA-8B-Base's is not; nobody reads it
    files["chat_template.jinja"] = "{{ x }}";
    files["its_code.py"] = "class Class: pass\n";
    for (const auto& [file, bytes] : files) write_file(from / file, bytes);
    write_file(from / "weights.py", "not the tokenizer's");
    fs::create_directory(from / "deep");
    write_file(from / "deep/code.py", "elsewhere");

    load_tokenizer(from)->save(to);
    EXPECT_EQ(read_tokenizer_files(to), files);
    EXPECT_FALSE(fs::exists(to / "weights.py"));
    EXPECT_EQ(load_tokenizer(to)->encode("he<|mask|>"), (Ids{kHe, kMask}));
    fs::remove_all(from);
  }
}

}  // namespace
}  // namespace gdsd
