#include "gdsd/denoiser/reuse.h"

#include <map>

namespace gdsd {

namespace {

/// Tokens of every sequence, then the rows asked of it.
std::vector<std::vector<int64_t>> contents(const Packed& x, const Rows& rows) {
  const auto at = x.offsets();
  const int64_t* tokens = x.tokens.const_data_ptr<int64_t>();
  const Tensor index = rows.index.contiguous();
  const int64_t* row = index.const_data_ptr<int64_t>();
  std::vector<std::vector<int64_t>> out;
  for (int64_t b = 0; b < x.size(); ++b) {
    out.emplace_back(tokens + at[b], tokens + at[b + 1]);
    for (int64_t i = 0; i < rows.counts[b]; ++i) out.back().push_back(*row++ - at[b]);
    out.back().push_back(rows.counts[b]);
  }
  return out;
}

}  // namespace

std::optional<DistinctSequences> distinct_sequences(const Packed& x, const Rows& rows) {
  const auto all = contents({x.tokens.contiguous(), x.lengths}, rows);
  const auto begins = x.offsets();
  std::map<std::vector<int64_t>, int64_t> first_row;  // of a kind of sequence, among the new rows
  std::vector<Tensor> kept;
  std::vector<int64_t> lengths, counts, index, of;
  int64_t length = 0;
  for (int64_t b = 0; b < x.size(); ++b) {
    const auto [found, is_new] = first_row.emplace(all[b], std::ssize(index));
    for (int64_t i = 0; i < rows.counts[b]; ++i) of.push_back(found->second + i);
    if (!is_new) continue;
    const int64_t own = x.lengths[b];
    kept.push_back(x.tokens.slice(0, begins[b], begins[b + 1]));
    for (int64_t i = 0; i < rows.counts[b]; ++i) index.push_back(length + all[b][own + i]);
    lengths.push_back(own);
    counts.push_back(rows.counts[b]);
    length += own;
  }
  if (std::ssize(lengths) == x.size()) return std::nullopt;
  return DistinctSequences{{at::cat(kept), lengths}, {to_tensor(index), counts}, to_tensor(of)};
}

std::optional<DistinctTokens> distinct_tokens(const Tensor& tokens, int64_t V) {
  const Tensor all = tokens.contiguous();
  const int64_t N = all.numel(), *id = all.const_data_ptr<int64_t>();
  std::vector<int64_t> place(V, -1), distinct, of(N);
  for (int64_t i = 0; i < N; ++i) {
    if (place[id[i]] < 0) {
      if (2 * (std::ssize(distinct) + 1) > N) return std::nullopt;
      place[id[i]] = std::ssize(distinct);
      distinct.push_back(id[i]);
    }
    of[i] = place[id[i]];
  }
  return DistinctTokens{to_tensor(distinct), to_tensor(of)};
}

}  // namespace gdsd
