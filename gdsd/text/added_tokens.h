// Added tokens: texts such as <|endoftext|> that are one token wherever they stand.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace gdsd {

struct AddedToken {
  int64_t id;
  std::string text;
  bool special;  ///< decoding may leave it out
  bool operator==(const AddedToken&) const = default;
};

/// Finds added tokens in text: the leftmost first, and of those that begin together the longest.
class AddedTokenFinder {
 public:
  explicit AddedTokenFinder(const std::vector<AddedToken>& tokens);

  /// Calls `token` for the tokens in `text` and `rest` for what lies between, in order. `rest` is
  /// never empty.
  void split(std::string_view text, const std::function<void(std::string_view)>& rest,
             const std::function<void(int64_t)>& token) const;

 private:
  static constexpr int64_t kNoToken = -1;
  struct Node {
    int64_t id = kNoToken;                          ///< of the token that ends here
    std::vector<std::pair<char, uint32_t>> next{};  ///< byte, place of the node
  };
  struct Found {
    int64_t id;
    size_t length;
  };

  const uint32_t* next(const Node& node, char byte) const;
  Found longest(std::string_view text, size_t at) const;

  std::vector<Node> nodes_;  ///< a trie; the root is first
};

}  // namespace gdsd
