// Byte-level byte-pair encoding, as the tokenizers of LLaDA and Dream do it: NFC, added tokens cut
// out, the rest split by a regular expression, each piece merged from its bytes.
#pragma once

#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "gdsd/text/added_tokens.h"
#include "gdsd/text/merges.h"
#include "gdsd/text/pre_tokenizer.h"
#include "gdsd/text/tokenizer.h"
#include "gdsd/text/tokenizer_files.h"

namespace gdsd {

/// Whose tokens to give. The two differ in
///   NFC            of what lies between added tokens | of the text, before they are looked for
///   letters        Letters::kUnicode14               | Letters::kPythonRegex
///   merges         MergeOrder::kOneByOne             | MergeOrder::kAllOfOne
///   added tokens   decoded like words                | decoded as they are
/// and in which tokens are special, which the files say.
enum class Reference {
  kLibrary,      ///< the tokenizers library, from a tokenizer.json: LLaDA
  kPythonClass,  ///< DreamTokenizer, from vocab.json and merges.txt
};

/// What the files of a tokenizer say.
struct ByteBpeParts {
  Reference reference = Reference::kLibrary;
  std::string split;                                        ///< regular expression
  std::map<std::string, int64_t> vocabulary;                ///< words in GPT-2's alphabet, and ids
  std::vector<std::pair<std::string, std::string>> merges;  ///< two words; the first goes first
  std::vector<AddedToken> added;
  TokenizerFiles files;  ///< to be saved
};

/// encode() may be called from several threads. Nothing is added to the text: no BOS, no space.
class ByteBpe : public Tokenizer {
 public:
  /// Ids reach from 0 to less than this, gaps included.
  static constexpr int64_t kMostIds = 1 << 22;

  /// Throws Error if an id is used twice or out of range, one of the 256 bytes is no word, or a
  /// merge joins what are no words or makes none.
  explicit ByteBpe(ByteBpeParts parts);

  /// Throws Error if the text is not UTF-8, naming the byte, or a GiB long.
  std::vector<int64_t> encode(std::string_view text) const override;
  std::string decode(std::span<const int64_t> ids,
                     SpecialTokens special = SpecialTokens::kLeaveOut) const override;
  int64_t size() const override;
  std::optional<int64_t> token_id(std::string_view token) const override;
  /// Writes the files it was loaded from, byte for byte.
  void save(const std::filesystem::path& folder) const override;

 private:
  void add_words(const ByteBpeParts& parts);
  Merges make_merges(const ByteBpeParts& parts) const;
  void find_whole_words();

  Reference reference_;
  std::vector<AddedToken> added_;
  AddedTokenFinder finder_;
  std::vector<std::string> text_;  ///< [id] what it decodes to; empty for an id that is not used
  std::vector<bool> special_;      ///< [id]
  PreTokenizer pre_tokenizer_;
  Merges merges_;
  /// Words that their merges lead to, so that they need not be gone through again.
  std::unordered_map<std::string_view, int64_t> whole_;
  TokenizerFiles files_;
};

/// From the contents of a tokenizer.json whose model is a BPE, and of the tokenizer_config.json
/// beside it, if there is one. `folder` is for messages. Throws Error naming file and key for
/// whatever the files ask that this class does not do.
std::unique_ptr<ByteBpe> byte_bpe_from_json(const TokenizerFiles& files,
                                            const nlohmann::json& document,
                                            const std::filesystem::path& folder);

/// From the contents of vocab.json, merges.txt and tokenizer_config.json.
std::unique_ptr<ByteBpe> byte_bpe_from_vocab(const TokenizerFiles& files,
                                             const std::filesystem::path& folder);

}  // namespace gdsd
