#include "gdsd/text/merges.h"

#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <string>

#include "gdsd/base/random.h"

namespace gdsd {
namespace {

using Ids = std::vector<int64_t>;

std::array<int32_t, 256> byte_ids() {
  std::array<int32_t, 256> ids{};
  for (int32_t b = 0; b < 256; ++b) ids[b] = b;
  return ids;
}

Ids encode(const std::vector<Merge>& merges, MergeOrder order, std::string_view word) {
  Ids ids;
  Merges::Scratch scratch;
  Merges(byte_ids(), merges, order).encode(word, ids, scratch);
  return ids;
}

/// What the two orders mean, in the plainest words.
Ids plain_encode(const std::vector<Merge>& merges, MergeOrder order, std::string_view word) {
  Ids ids;
  for (char c : word) ids.push_back(static_cast<unsigned char>(c));
  for (;;) {
    const Merge* best = nullptr;
    for (const Merge& m : merges)
      for (size_t i = 0; i + 1 < ids.size() && !best; ++i)
        if (ids[i] == m.left && ids[i + 1] == m.right) best = &m;
    if (!best) return ids;
    for (size_t i = 0; i + 1 < ids.size(); ++i) {
      if (ids[i] != best->left || ids[i + 1] != best->right) continue;
      ids[i] = best->result;
      ids.erase(ids.begin() + static_cast<ptrdiff_t>(i) + 1);
      if (order == MergeOrder::kOneByOne) break;
    }
  }
}

constexpr MergeOrder kOrders[] = {MergeOrder::kOneByOne, MergeOrder::kAllOfOne};

TEST(Merges, LowerRanksGoFirst) {
  const std::vector<Merge> merges{{'b', 'c', 256}, {'a', 'b', 257}, {257, 'c', 258}};
  for (MergeOrder order : kOrders) {
    EXPECT_EQ(encode(merges, order, "abc"), (Ids{'a', 256}));
    EXPECT_EQ(encode(merges, order, "ab"), Ids{257});
    EXPECT_EQ(encode(merges, order, ""), Ids{});
    EXPECT_EQ(encode({}, order, "ab"), (Ids{'a', 'b'}));
  }
}

TEST(Merges, RunsAreMergedFromTheLeft) {
  const std::vector<Merge> merges{{'a', 'a', 256}, {256, 256, 257}};
  for (MergeOrder order : kOrders) {
    EXPECT_EQ(encode(merges, order, "aaa"), (Ids{256, 'a'}));
    EXPECT_EQ(encode(merges, order, "aaaaaaa"), (Ids{257, 256, 'a'}));
  }
}

TEST(Merges, TheOrdersDifferWhereALaterMergeHasALowerRank) {
  // abc by two ways; after the first abc, abc + a is of lower rank than the second a + bc.
  const std::vector<Merge> merges{{'b', 'c', 256}, {257, 'a', 258}, {'a', 256, 257}};
  EXPECT_EQ(encode(merges, MergeOrder::kOneByOne, "abcabc"), (Ids{258, 256}));
  EXPECT_EQ(encode(merges, MergeOrder::kAllOfOne, "abcabc"), (Ids{257, 257}));
}

TEST(Merges, AgreesWithThePlainAlgorithm) {
  for (uint64_t i = 0; i < 3000; ++i) {
    const Key key{i};
    // Merges in any order, those that training could not have written included.
    std::vector<Merge> merges;
    std::map<std::pair<int32_t, int32_t>, bool> seen;
    std::vector<int32_t> tokens{'a', 'b', 'c'};
    for (uint64_t m = 0; m < 12; ++m) {
      const int32_t left = tokens[below(key.fork("left"), m, tokens.size())];
      const int32_t right = tokens[below(key.fork("right"), m, tokens.size())];
      if (!seen.emplace(std::pair(left, right), true).second) continue;
      tokens.push_back(256 + static_cast<int32_t>(m));
      merges.insert(
          merges.begin() + static_cast<ptrdiff_t>(below(key.fork("at"), m, merges.size() + 1)),
          {left, right, tokens.back()});
    }
    std::string word;
    for (uint64_t c = 0; c < 1 + i % 30; ++c)
      word += static_cast<char>('a' + below(key.fork("word"), c, 3));
    for (MergeOrder order : kOrders)
      ASSERT_EQ(encode(merges, order, word), plain_encode(merges, order, word)) << i;
  }
}

TEST(Merges, OfAPairListedTwiceTheLastCounts) {
  const std::vector<Merge> merges{{'a', 'b', 256}, {'b', 'c', 257}, {'a', 'b', 256}};
  for (MergeOrder order : kOrders) EXPECT_EQ(encode(merges, order, "abc"), (Ids{'a', 257}));
}

TEST(Merges, ALongWordTakesNoQuadraticTime) {
  const std::vector<Merge> merges{{'a', 'a', 256}, {256, 256, 257}, {257, 257, 258}};
  const auto start = std::chrono::steady_clock::now();
  for (MergeOrder order : kOrders)
    EXPECT_EQ(encode(merges, order, std::string(1 << 20, 'a')), Ids(1 << 17, 258));
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(60));
}

}  // namespace
}  // namespace gdsd
