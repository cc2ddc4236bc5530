// What the files of a byte-level BPE may not say, and the errors that name it.
#include <gtest/gtest.h>

#include "gdsd/base/check.h"
#include "gdsd/text/tokenizer.h"
#include "tests/text/tiny_bpe.h"

namespace gdsd {
namespace {

using namespace tiny_bpe;  // NOLINT: its names are the subject

/// The message about these files after "[tokenizer] F/FILE: ".
std::string error_about(const TokenizerFiles& files, const std::string& file) {
  const std::string start = "[tokenizer] F/" + file + ": ";
  try {
    load_tokenizer(files, "F");
  } catch (const Error& e) {
    const std::string what = e.what();
    EXPECT_TRUE(what.starts_with(start)) << what;
    return what.substr(std::min(what.size(), start.size()));
  }
  return "no error";
}

/// The same after a change at a JSON pointer.
std::string error_after(TokenizerFiles files, const std::string& file, const std::string& pointer,
                        const json& value) {
  json document = json::parse(files.at(file));
  document[json::json_pointer(pointer)] = value;
  files[file] = document.dump();
  return error_about(files, file);
}

std::string llada_error(const std::string& pointer, const json& value) {
  return error_after(llada(), "tokenizer.json", pointer, value);
}
std::string config_error(const std::string& pointer, const json& value) {
  const std::string file = "tokenizer_config.json";
  const std::string error = error_after(llada(), file, pointer, value);
  EXPECT_EQ(error_after(dream(), file, pointer, value), error);
  return error;
}

TEST(ByteBpeFiles, RefusesWhatATokenizerJsonAsksForAndWeDoNotDo) {
  EXPECT_EQ(llada_error("/normalizer", {{"type", "NFKC"}}),
            "the normalizer is {\"type\":\"NFKC\"}, expected NFC.");
  EXPECT_EQ(llada_error("/normalizer", nullptr), "the normalizer is null, expected NFC.");
  EXPECT_EQ(llada_error("/truncation", {{"max_length", 4}}),
            "'truncation' is {\"max_length\":4}, expected none.");
  EXPECT_EQ(llada_error("/padding", 1), "'padding' is 1, expected none.");
  EXPECT_EQ(llada_error("/decoder", {{"type", "Fuse"}}),
            "the decoder is {\"type\":\"Fuse\"}, expected ByteLevel.");
  EXPECT_EQ(llada_error("/model/byte_fallback", true),
            "'byte_fallback' is true, expected false or none.");
  EXPECT_EQ(llada_error("/model/ignore_merges", true),
            "'ignore_merges' is true, expected false or none.");
  EXPECT_EQ(llada_error("/model/dropout", 0.1), "'dropout' is 0.1, expected 0.0 or none.");
  EXPECT_EQ(llada_error("/model/unk_token", "<unk>"), "'unk_token' is \"<unk>\", expected none.");
  EXPECT_EQ(llada_error("/model/end_of_word_suffix", "</w>"),
            "'end_of_word_suffix' is \"</w>\", expected \"\" or none.");
  EXPECT_EQ(llada_error("/added_tokens/1/lstrip", true),
            "'lstrip' is true, expected false or none.");
  EXPECT_EQ(llada_error("/added_tokens/1/normalized", true),
            "'normalized' is true, expected false or none.");
}

TEST(ByteBpeFiles, RefusesAnotherSplit) {
  const std::string at = "/pre_tokenizer/pretokenizers";
  EXPECT_EQ(
      llada_error(at + "/0/pattern", {{"Regex", "\\w+"}}),
      R"(the pre_tokenizer splits at {"Regex":"\\w+"}, expected the Regex of LLaDA or of Qwen2.)");
  EXPECT_EQ(llada_error(at + "/0/pattern", {{"String", kLladaSplit}}).substr(0, 48),
            R"(the pre_tokenizer splits at {"String":"'(?i:[sdm)");
  EXPECT_EQ(llada_error(at + "/0/behavior", "Removed"),
            "'behavior' is \"Removed\", expected \"Isolated\" or none.");
  EXPECT_EQ(llada_error(at + "/0/invert", true), "'invert' is true, expected false or none.");
  EXPECT_TRUE(llada_error(at + "/1/use_regex", true)
                  .ends_with("expected add_prefix_space and use_regex false."));
  EXPECT_TRUE(llada_error(at + "/1", {{"type", "ByteLevel"}}).ends_with("use_regex false."));
  for (const json& value : {json(), json(3), json({{"type", "ByteLevel"}}), json::array({1, 2})})
    EXPECT_TRUE(llada_error("/pre_tokenizer", value) != "no error");
  EXPECT_EQ(llada_error(at + "/0/pattern", {{"Regex", kQwenSplit}}), "no error");
}

TEST(ByteBpeFiles, RefusesAPostProcessorThatAdds) {
  const json a{{"Sequence", {{"id", "A"}, {"type_id", 0}}}};
  const json bos{{"SpecialToken", {{"id", "<|mask|>"}, {"type_id", 0}}}};
  const auto processor = [](const json& single) {
    return json{{"type", "TemplateProcessing"}, {"single", single}};
  };
  EXPECT_EQ(llada_error("/post_processor", processor(json::array({a}))), "no error");
  EXPECT_EQ(llada_error("/post_processor", {{"type", "ByteLevel"}}), "no error");
  EXPECT_TRUE(llada_error("/post_processor", processor({bos, a}))
                  .starts_with("the post_processor adds {\"SpecialToken\":"));
  const json both{{"type", "Sequence"},
                  {"processors", {{{"type", "ByteLevel"}}, processor(json::array({bos}))}}};
  EXPECT_TRUE(llada_error("/post_processor", both).starts_with("the post_processor adds "));
  EXPECT_TRUE(llada_error("/post_processor", {{"type", "BertProcessing"}})
                  .starts_with("the post_processor is {\"type\":\"BertProcessing\"}, expected"));
}

TEST(ByteBpeFiles, RefusesAVocabularyThatDoesNotHoldTogether) {
  const std::string range = ", expected 0 to 4194303.";
  EXPECT_EQ(llada_error("/model/vocab", 3), "the vocabulary is 3, expected an object.");
  for (const json& id : {json(-1), json(1 << 22), json(UINT64_MAX), json(1.5), json("7")})
    EXPECT_EQ(llada_error("/model/vocab/he", id), "the id of 'he' is " + id.dump() + range);
  EXPECT_EQ(llada_error("/added_tokens/0/id", 1 << 22),
            "the id of 'an added token' is 4194304" + range);
  EXPECT_TRUE(llada_error("/model/vocab/he", 65).starts_with("id 65 has two words, one of them '"));
  EXPECT_EQ(llada_error("/model/vocab/", 300), "the word of id 300 is empty.");
  EXPECT_EQ(llada_error("/added_tokens/1/id", 65), "id 65 of the added token '<|mask|>' is taken.");
  EXPECT_EQ(llada_error("/added_tokens/1/content", "<|endoftext|>"),
            "the added token '<|endoftext|>' is there twice.");
  EXPECT_EQ(llada_error("/added_tokens/1/content", ""), "the added token 267 is empty.");
  json words = vocabulary();
  words.erase("Ġ");
  EXPECT_EQ(llada_error("/model/vocab", words),
            "the vocabulary has no word for byte 32, expected 'Ġ'.");
  words = vocabulary();
  words.erase("abcd");
  EXPECT_EQ(llada_error("/model/vocab", words),
            "merge 6 is 'ab' with 'cd', expected words of the vocabulary that make another.");
  for (const json& merge : {json("ab"), json("a b c"), json({"a"}), json(7), json({1, 2})})
    EXPECT_NE(llada_error("/model/merges/0", merge), "no error") << merge;
  EXPECT_EQ(llada_error("/model/merges/0", "a b c"), "a merge is \"a b c\", expected two words.");
}

TEST(ByteBpeFiles, RefusesWhatAConfigAsksForAndWeDoNotDo) {
  EXPECT_EQ(config_error("/split_special_tokens", true),
            "'split_special_tokens' is true, expected false or none.");
  EXPECT_EQ(config_error("/clean_up_tokenization_spaces", true),
            "'clean_up_tokenization_spaces' is true, expected false or none.");
  EXPECT_EQ(config_error("/add_bos_token", true),
            "'add_bos_token' is true, expected false or none.");
  EXPECT_EQ(config_error("/errors", "strict"),
            "'errors' is \"strict\", expected \"replace\" or none.");
  EXPECT_EQ(config_error("/bos_token", "<s>"),
            "the special token '<s>' is none of the added tokens.");
  EXPECT_EQ(config_error("/bos_token", 5), "'bos_token' is 5, expected a token.");
  EXPECT_EQ(config_error("/additional_special_tokens", "<s>"),
            "'additional_special_tokens' is \"<s>\", expected a list.");
  EXPECT_EQ(config_error("/added_tokens_decoder", json::array()),
            "'added_tokens_decoder' is [], expected an object.");
  EXPECT_EQ(config_error("/added_tokens_decoder/x1", added("x", true)),
            "'added_tokens_decoder' has the id 'x1', expected a number.");
  EXPECT_EQ(config_error("/added_tokens_decoder/267/rstrip", true),
            "'rstrip' is true, expected false or none.");
  EXPECT_EQ(
      error_after(llada(), "tokenizer_config.json", "/added_tokens_decoder/300", added("x", true)),
      "the added token 300 'x' is not in tokenizer.json, or not as it is there.");
  EXPECT_EQ(
      error_after(dream(), "tokenizer_config.json", "/tokenizer_class", "GPT2Tokenizer"),
      "'tokenizer_class' is \"GPT2Tokenizer\", expected \"DreamTokenizer\" with vocab.json and "
      "no tokenizer.json.");
}

TEST(ByteBpeFiles, ReadsMergesWithBlankLinesAndCarriageReturns) {
  TokenizerFiles files = dream();
  files["merges.txt"] = "#version: 0.2\r\n\r\na b\r\n\n  c d  \nab cd";
  EXPECT_EQ(load_tokenizer(files, "F")->encode("abcd"), std::vector<int64_t>{kAbcd});
  files["merges.txt"] = "a b\nab c d\n";
  EXPECT_EQ(error_about(files, "merges.txt"), "line 2 is not a merge, expected two words.");
  files["merges.txt"] = "a b\n\nab\n";
  EXPECT_EQ(error_about(files, "merges.txt"), "line 3 is not a merge, expected two words.");
  files["merges.txt"] = "a x";
  EXPECT_EQ(error_about(files, "vocab.json"),
            "merge 0 is 'a' with 'x', expected words of the vocabulary that make another.");
}

TEST(ByteBpeFiles, NamesTheFileThatIsMissingOrBroken) {
  for (const char* file : {"tokenizer.json", "tokenizer_config.json"}) {
    TokenizerFiles files = llada();
    files[file] = files[file].substr(0, 100);
    EXPECT_TRUE(error_about(files, file).starts_with(std::string("not a ") + file + ": "));
    files[file] = std::string(100000, '[');
    EXPECT_EQ(error_about(files, file), "nested deeper than 64 levels.");
  }
  const auto error_without = [](const char* file) {
    TokenizerFiles files = dream();
    files.erase(file);
    try {
      load_tokenizer(files, "F");
    } catch (const Error& e) {
      return std::string(e.what());
    }
    return std::string("no error");
  };
  const std::string none =
      "[tokenizer] no F/tokenizer.json, nor vocab.json and merges.txt beside it.";
  EXPECT_EQ(error_without("vocab.json"), none);
  EXPECT_EQ(error_without("merges.txt"), none);
  EXPECT_EQ(
      error_without("tokenizer_config.json"),
      "[tokenizer] no F/tokenizer_config.json, which names the special tokens of vocab.json.");
}

TEST(ByteBpeFiles, LongValuesAreCutInMessages) {
  const std::string error = llada_error("/normalizer", std::string(100000, 'x'));
  EXPECT_LT(error.size(), 300U);
  EXPECT_TRUE(error.ends_with("x…, expected NFC."));
}

}  // namespace
}  // namespace gdsd
