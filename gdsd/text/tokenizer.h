// Text to token ids and back.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gdsd/text/tokenizer_files.h"

namespace gdsd {

/// What decoding does with special tokens, such as the mask.
enum class SpecialTokens { kLeaveOut, kKeep };

class Tokenizer {
 public:
  virtual ~Tokenizer() = default;

  /// Throws Error for text that the vocabulary cannot express, naming the character and its place.
  virtual std::vector<int64_t> encode(std::string_view text) const = 0;

  /// UTF-8; bytes that are none become U+FFFD. Ids that the vocabulary lacks are left out.
  virtual std::string decode(std::span<const int64_t> ids,
                             SpecialTokens special = SpecialTokens::kLeaveOut) const = 0;

  /// One past the largest id.
  virtual int64_t size() const = 0;

  /// The token with exactly this text: an added one such as <|mask|>, else one that the text
  /// encodes to. nullopt if there is none.
  virtual std::optional<int64_t> token_id(std::string_view token) const = 0;

  /// Writes Hugging Face's tokenizer files into `folder`; the same tokenizer loads from them.
  virtual void save(const std::filesystem::path& folder) const = 0;
};

/// The tokenizer of a Hugging Face folder: what its tokenizer.json describes, one token per
/// character or byte-level BPE; without one, the BPE of vocab.json and merges.txt.
/// Throws Error naming file and key for a tokenizer of another kind.
std::unique_ptr<Tokenizer> load_tokenizer(const std::filesystem::path& folder);

/// The same from the files' contents; `folder` is for messages.
std::unique_ptr<Tokenizer> load_tokenizer(const TokenizerFiles& files,
                                          const std::filesystem::path& folder);

}  // namespace gdsd
