#include "gdsd/text/merges.h"

#include <algorithm>
#include <bit>
#include <functional>

namespace gdsd {

Merges::Merges(const std::array<int32_t, 256>& bytes, const std::vector<Merge>& merges,
               MergeOrder order)
    : bytes_(bytes),
      slots_(std::bit_ceil(merges.size() * 3 / 2 + 2), Slot{0, 0, kNone}),
      order_(order) {
  results_.reserve(merges.size());
  for (const Merge& m : merges) {
    slot(m.left, m.right) = {m.left, m.right, static_cast<uint32_t>(results_.size())};
    results_.push_back(m.result);
  }
}

size_t Merges::home(int32_t left, int32_t right) const {
  const uint64_t key =
      static_cast<uint64_t>(static_cast<uint32_t>(left)) << 32 | static_cast<uint32_t>(right);
  const int bits = std::countr_zero(slots_.size());
  return (key * 0x9e3779b97f4a7c15) >> (64 - bits);  // Fibonacci hashing; at least two slots
}

Merges::Slot& Merges::slot(int32_t left, int32_t right) {
  size_t at = home(left, right);
  while (slots_[at].rank != kNone && (slots_[at].left != left || slots_[at].right != right))
    at = (at + 1) & (slots_.size() - 1);
  return slots_[at];
}

uint32_t Merges::rank(int32_t left, int32_t right) const {
  for (size_t at = home(left, right);; at = (at + 1) & (slots_.size() - 1)) {
    const Slot& s = slots_[at];
    if (s.rank == kNone || (s.left == left && s.right == right)) return s.rank;
  }
}

/// Ranks the pair at `place` anew and queues it.
void Merges::update(Scratch& scratch, uint32_t place) const {
  Scratch::Symbol& s = scratch.symbols[place];
  s.rank = s.next == kNone ? kNone : rank(s.id, scratch.symbols[s.next].id);
  if (s.rank == kNone) return;
  scratch.queue.push_back(static_cast<uint64_t>(s.rank) << 32 | place);
  std::push_heap(scratch.queue.begin(), scratch.queue.end(), std::greater<>());
}

/// Merges the symbol at `place` with the next one.
void Merges::apply(Scratch& scratch, uint32_t place) const {
  Scratch::Symbol& s = scratch.symbols[place];
  Scratch::Symbol& eaten = scratch.symbols[s.next];
  s.id = results_[s.rank];
  s.next = eaten.next;
  eaten.rank = kNone;
  if (s.next != kNone) scratch.symbols[s.next].previous = place;
  update(scratch, place);
  if (s.previous != kNone) update(scratch, s.previous);
}

void Merges::encode(std::string_view word, std::vector<int64_t>& ids, Scratch& scratch) const {
  auto& [symbols, queue, places] = scratch;
  const auto n = static_cast<uint32_t>(word.size());
  symbols.resize(n);
  queue.clear();
  for (uint32_t i = 0; i < n; ++i)
    symbols[i] = {bytes_[static_cast<unsigned char>(word[i])], kNone, i - 1,
                  i + 1};  // 0 - 1: kNone
  if (n > 0) symbols[n - 1].next = kNone;
  for (uint32_t i = 0; i + 1 < n; ++i) {
    symbols[i].rank = rank(symbols[i].id, symbols[i + 1].id);
    if (symbols[i].rank != kNone) queue.push_back(static_cast<uint64_t>(symbols[i].rank) << 32 | i);
  }
  std::make_heap(queue.begin(), queue.end(), std::greater<>());

  while (!queue.empty()) {
    const auto first = static_cast<uint32_t>(queue.front() >> 32);
    places.clear();
    do {
      places.push_back(static_cast<uint32_t>(queue.front()));
      std::pop_heap(queue.begin(), queue.end(), std::greater<>());
      queue.pop_back();
    } while (order_ == MergeOrder::kAllOfOne && !queue.empty() && queue.front() >> 32 == first);
    for (uint32_t place : places)  // a merge nearby may have changed the pair since
      if (symbols[place].rank == first) apply(scratch, place);
  }
  for (uint32_t i = 0; i < n; i = symbols[i].next) ids.push_back(symbols[i].id);  // kNone ≥ n
}

}  // namespace gdsd
