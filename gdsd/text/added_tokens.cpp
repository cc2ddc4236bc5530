#include "gdsd/text/added_tokens.h"

namespace gdsd {

AddedTokenFinder::AddedTokenFinder(const std::vector<AddedToken>& tokens) : nodes_(1) {
  for (const AddedToken& token : tokens) {
    uint32_t at = 0;
    for (char byte : token.text) {
      if (const uint32_t* found = next(nodes_[at], byte)) {
        at = *found;
        continue;
      }
      const auto added = static_cast<uint32_t>(nodes_.size());
      nodes_[at].next.emplace_back(byte, added);
      nodes_.emplace_back();
      at = added;
    }
    nodes_[at].id = token.id;
  }
}

const uint32_t* AddedTokenFinder::next(const Node& node, char byte) const {
  for (const auto& [b, place] : node.next)
    if (b == byte) return &place;
  return nullptr;
}

/// The longest token that begins at `at`; kNoToken if none does.
AddedTokenFinder::Found AddedTokenFinder::longest(std::string_view text, size_t at) const {
  Found found{kNoToken, 0};
  const uint32_t* place = nullptr;
  const Node* node = nodes_.data();
  for (size_t end = at; end < text.size() && (place = next(*node, text[end]));) {
    node = &nodes_[*place];
    ++end;
    if (node->id != kNoToken) found = {node->id, end - at};
  }
  return found;
}

void AddedTokenFinder::split(std::string_view text,
                             const std::function<void(std::string_view)>& rest,
                             const std::function<void(int64_t)>& token) const {
  size_t begin = 0, at = 0;
  const auto flush = [&] {
    if (at > begin) rest(text.substr(begin, at - begin));
  };
  while (at < text.size()) {
    const Found found = longest(text, at);
    if (found.id == kNoToken) {
      ++at;
      continue;
    }
    flush();
    token(found.id);
    begin = at += found.length;
  }
  flush();
}

}  // namespace gdsd
