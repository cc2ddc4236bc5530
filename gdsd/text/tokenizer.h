// Text to token ids and back. Special tokens are ids that no text encodes to.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gdsd {

class Tokenizer {
 public:
  virtual ~Tokenizer() = default;

  /// Throws Error for text that the vocabulary cannot express, naming the character and its place.
  virtual std::vector<int64_t> encode(std::string_view text) const = 0;

  /// Special tokens, and ids beyond the vocabulary, are left out.
  virtual std::string decode(std::span<const int64_t> ids) const = 0;

  /// One past the largest id.
  virtual int64_t size() const = 0;

  /// Writes Hugging Face's tokenizer files (tokenizer.json, tokenizer_config.json) into `folder`.
  virtual void save(const std::filesystem::path& folder) const = 0;
};

/// The tokenizer of a Hugging Face folder, whichever kind its tokenizer.json describes.
std::unique_ptr<Tokenizer> load_tokenizer(const std::filesystem::path& folder);

}  // namespace gdsd
