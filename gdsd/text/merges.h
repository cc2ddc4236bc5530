// Byte-pair encoding: words of bytes to token ids by a list of merges.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

namespace gdsd {

/// Two tokens that become one. The place in the list is the rank: lower ones go first.
struct Merge {
  int32_t left, right, result;
};

/// What happens to the other places of a pair when the first has been merged. Lists that training
/// writes give the same tokens either way; lists made otherwise may not.
enum class MergeOrder {
  kOneByOne,  ///< the leftmost pair of lowest rank, then look again: the tokenizers library
  kAllOfOne,  ///< all places of the pair of lowest rank, left to right: GPT-2's Python code
};

/// Time is n log n in the bytes of a word.
class Merges {
 public:
  /// `bytes` are the ids of the 256 single bytes. Of a pair that is listed twice the last counts.
  Merges(const std::array<int32_t, 256>& bytes, const std::vector<Merge>& merges, MergeOrder order);

  /// Working memory of encode(), to be used again; one per thread.
  struct Scratch {
    struct Symbol {
      int32_t id;
      uint32_t rank;  ///< of the merge with the next symbol; kNone: there is none
      uint32_t previous, next;
    };
    std::vector<Symbol> symbols;
    std::vector<uint64_t> queue;   ///< a heap of rank << 32 | place, smallest first
    std::vector<uint32_t> places;  ///< of the merges in hand
  };

  /// Appends the tokens of a word of fewer than 2^32 bytes.
  void encode(std::string_view word, std::vector<int64_t>& ids, Scratch& scratch) const;

 private:
  static constexpr uint32_t kNone = UINT32_MAX;
  struct Slot {
    int32_t left, right;
    uint32_t rank;  ///< kNone: a free slot
  };

  uint32_t rank(int32_t left, int32_t right) const;
  Slot& slot(int32_t left, int32_t right);
  size_t home(int32_t left, int32_t right) const;
  void update(Scratch& scratch, uint32_t place) const;
  void apply(Scratch& scratch, uint32_t place) const;

  std::array<int32_t, 256> bytes_;
  std::vector<int32_t> results_;  ///< [rank]
  std::vector<Slot> slots_;       ///< a hash table of pairs, probed linearly; a power of two
  MergeOrder order_;
};

}  // namespace gdsd
