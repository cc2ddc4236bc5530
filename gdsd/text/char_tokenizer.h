// One token per character: the tokenizer of the embedded tasks.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "gdsd/text/tokenizer.h"

namespace gdsd {

/// Ids 0, 1 and 2 are the special tokens; the characters of the alphabet follow in its order.
class CharTokenizer : public Tokenizer {
 public:
  static constexpr int64_t kPad = 0, kMask = 1, kEos = 2;

  /// Throws Error unless the characters are distinct and printable ASCII.
  explicit CharTokenizer(std::string_view alphabet);

  /// From the contents of a tokenizer.json whose model is a WordLevel. Throws Error unless it
  /// describes a tokenizer of this kind.
  static CharTokenizer from_json(const nlohmann::json& document);

  std::vector<int64_t> encode(std::string_view text) const override;
  std::string decode(std::span<const int64_t> ids,
                     SpecialTokens special = SpecialTokens::kLeaveOut) const override;
  int64_t size() const override;
  std::optional<int64_t> token_id(std::string_view token) const override;
  void save(const std::filesystem::path& folder) const override;

 private:
  std::string alphabet_;
};

}  // namespace gdsd
