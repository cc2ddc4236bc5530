#include "gdsd/text/byte_bpe.h"

#include <array>

#include "gdsd/base/check.h"
#include "gdsd/base/file.h"
#include "gdsd/text/byte_alphabet.h"
#include "gdsd/text/nfc.h"
#include "gdsd/text/utf8.h"

namespace gdsd {
namespace {

/// The largest text that NFC, which may triple it, keeps below 2^32 bytes.
constexpr size_t kMostBytes = size_t{1} << 30;

int64_t count_ids(const ByteBpeParts& parts) {
  int64_t count = 0;
  const auto take = [&](const std::string& text, int64_t id) {
    check(id >= 0 && id < ByteBpe::kMostIds, "the id of '", text, "' is ", id, ", expected 0 to ",
          ByteBpe::kMostIds - 1, ".");
    count = std::max(count, id + 1);
  };
  for (const auto& [word, id] : parts.vocabulary) take(word, id);
  for (const AddedToken& token : parts.added) take(token.text, token.id);
  return count;
}

}  // namespace

ByteBpe::ByteBpe(ByteBpeParts parts)
    : reference_(parts.reference),
      added_(parts.added),
      finder_(parts.added),
      text_(count_ids(parts)),
      special_(text_.size()),
      pre_tokenizer_(parts.split, parts.reference == Reference::kLibrary ? Letters::kUnicode14
                                                                         : Letters::kPythonRegex),
      merges_(make_merges(parts)),
      files_(std::move(parts.files)) {
  add_words(parts);
  find_whole_words();
}

/// What the ids decode to.
void ByteBpe::add_words(const ByteBpeParts& parts) {
  for (const auto& [word, id] : parts.vocabulary) {
    check(!word.empty(), "the word of id ", id, " is empty.");
    check(text_[id].empty(), "id ", id, " has two words, one of them '", word, "'.");
    text_[id] = bytes_of_word(word).value_or(word);
  }
  std::map<std::string_view, int64_t> seen;
  for (const AddedToken& token : added_) {
    check(!token.text.empty(), "the added token ", token.id, " is empty.");
    check(seen.emplace(token.text, token.id).second, "the added token '", token.text,
          "' is there twice.");
    const auto word = parts.vocabulary.find(token.text);
    const bool same = word != parts.vocabulary.end() && word->second == token.id;
    check(text_[token.id].empty() || same, "id ", token.id, " of the added token '", token.text,
          "' is taken.");
    text_[token.id] = reference_ == Reference::kLibrary
                          ? bytes_of_word(token.text).value_or(token.text)
                          : token.text;
    special_[token.id] = token.special;
  }
}

Merges ByteBpe::make_merges(const ByteBpeParts& parts) const {
  const auto id_of = [&](const std::string& word) {
    const auto found = parts.vocabulary.find(word);
    return found == parts.vocabulary.end() ? -1 : static_cast<int32_t>(found->second);
  };
  std::array<int32_t, 256> bytes{};
  for (size_t b = 0; b < bytes.size(); ++b) {
    const std::string word = word_of_bytes(std::string(1, static_cast<char>(b)));
    bytes[b] = id_of(word);
    check(bytes[b] >= 0, "the vocabulary has no word for byte ", b, ", expected '", word, "'.");
  }
  std::vector<Merge> merges;
  merges.reserve(parts.merges.size());
  for (const auto& [left, right] : parts.merges) {
    const Merge m{id_of(left), id_of(right), id_of(left + right)};
    check(m.left >= 0 && m.right >= 0 && m.result >= 0, "merge ", merges.size(), " is '", left,
          "' with '", right, "', expected words of the vocabulary that make another.");
    merges.push_back(m);
  }
  return {bytes, merges,
          reference_ == Reference::kLibrary ? MergeOrder::kOneByOne : MergeOrder::kAllOfOne};
}

void ByteBpe::find_whole_words() {
  std::vector<int64_t> ids;
  Merges::Scratch scratch;
  whole_.reserve(text_.size());
  for (size_t id = 0; id < text_.size(); ++id) {
    ids.clear();
    merges_.encode(text_[id], ids, scratch);
    if (ids.size() == 1) whole_.emplace(text_[id], ids.front());
  }
}

std::vector<int64_t> ByteBpe::encode(std::string_view text) const {
  check(text.size() < kMostBytes, "[tokenizer] the text has ", text.size(), " bytes, expected ",
        "less than ", kMostBytes, ".");
  const size_t bad = find_invalid_utf8(text);
  check(bad == std::string_view::npos, "[tokenizer] the text is not UTF-8 at byte ", bad, ".");

  std::vector<int64_t> ids;
  ids.reserve(text.size() / 3 + 1);
  Merges::Scratch scratch;
  const auto piece = [&](std::string_view bytes) {
    const auto found = whole_.find(bytes);
    if (found != whole_.end())
      ids.push_back(found->second);
    else
      merges_.encode(bytes, ids, scratch);
  };
  const auto token = [&](int64_t id) { ids.push_back(id); };
  if (reference_ == Reference::kLibrary)
    finder_.split(
        text, [&](std::string_view rest) { pre_tokenizer_.split(nfc(rest), piece); }, token);
  else
    finder_.split(
        nfc(text), [&](std::string_view rest) { pre_tokenizer_.split(rest, piece); }, token);
  return ids;
}

std::string ByteBpe::decode(std::span<const int64_t> ids, SpecialTokens special) const {
  std::string bytes;
  for (int64_t id : ids) {
    if (id < 0 || id >= size()) continue;
    if (special == SpecialTokens::kKeep || !special_[id]) bytes += text_[id];
  }
  return replace_invalid_utf8(bytes);
}

int64_t ByteBpe::size() const { return static_cast<int64_t>(text_.size()); }

std::optional<int64_t> ByteBpe::token_id(std::string_view token) const {
  for (const AddedToken& added : added_)
    if (added.text == token) return added.id;
  const auto found = whole_.find(token);
  if (found != whole_.end()) return found->second;
  return std::nullopt;
}

void ByteBpe::save(const std::filesystem::path& folder) const {
  for (const auto& [name, bytes] : files_) write_file(folder / name, bytes);
}

}  // namespace gdsd
