#include "gdsd/denoiser/reuse.h"

#include <map>

namespace gdsd {

namespace {

/// Tokens of every sequence, then the rows asked of it, then what else is to be equal [N].
std::vector<std::vector<int64_t>> contents(const Packed& x, const Rows& rows, const Tensor& more) {
  const auto at = x.offsets();
  const int64_t* tokens = x.tokens.const_data_ptr<int64_t>();
  const int64_t* others = more.defined() ? more.const_data_ptr<int64_t>() : nullptr;
  const Tensor index = rows.index.contiguous();
  const int64_t* row = index.const_data_ptr<int64_t>();
  std::vector<std::vector<int64_t>> out;
  for (int64_t b = 0; b < x.size(); ++b) {
    out.emplace_back(tokens + at[b], tokens + at[b + 1]);
    for (int64_t i = 0; i < rows.counts[b]; ++i) out.back().push_back(*row++ - at[b]);
    out.back().push_back(rows.counts[b]);
    if (others) out.back().insert(out.back().end(), others + at[b], others + at[b + 1]);
  }
  return out;
}

}  // namespace

std::optional<DistinctSequences> distinct_sequences(const Packed& x, const Rows& rows,
                                                    const Tensor& more) {
  const auto all = contents({x.tokens.contiguous(), x.lengths}, rows, more);
  const auto begins = x.offsets();
  struct Place {
    int64_t row, token;  // where a kind of sequence begins among the new ones
  };
  std::map<std::vector<int64_t>, Place> places;
  std::vector<Tensor> kept;
  std::vector<int64_t> lengths, counts, index, of, token_of, which;
  int64_t length = 0;
  for (int64_t b = 0; b < x.size(); ++b) {
    if (more.defined() && rows.counts[b] == 0) continue;
    const auto [found, is_new] = places.emplace(all[b], Place{std::ssize(index), length});
    const auto [row, token] = found->second;
    for (int64_t i = 0; i < rows.counts[b]; ++i) of.push_back(row + i);
    for (int64_t i = 0; i < x.lengths[b]; ++i) token_of.push_back(token + i);
    if (!is_new) continue;
    const int64_t own = x.lengths[b];
    kept.push_back(x.tokens.slice(0, begins[b], begins[b + 1]));
    for (int64_t i = 0; i < rows.counts[b]; ++i) index.push_back(length + all[b][own + i]);
    lengths.push_back(own);
    counts.push_back(rows.counts[b]);
    which.push_back(b);
    length += own;
  }
  if (lengths.empty() || std::ssize(lengths) == x.size()) return std::nullopt;
  return DistinctSequences{{at::cat(kept), lengths},
                           {to_tensor(index), counts},
                           to_tensor(of),
                           to_tensor(token_of),
                           which};
}

std::optional<DistinctWithin> distinct_within(const Packed& x, const Rows& rows,
                                              const Window& window, const KeyValues& kept) {
  auto distinct = distinct_sequences(x, rows, kept.first);
  if (!distinct) return std::nullopt;
  const auto before = x.offsets(), now = distinct->x.offsets();
  DistinctWithin out{.sequences = std::move(*distinct), .window = {}, .kept = {}};
  std::vector<int64_t> tokens;  // of the whole batch
  for (size_t i = 0; i < out.sequences.which.size(); ++i) {
    const int64_t b = out.sequences.which[i], shift = now[i] - before[b];
    out.window.begin.push_back(window.begin[b] + shift);
    out.window.end.push_back(window.end[b] + shift);
    for (int64_t t = before[b]; t < before[b + 1]; ++t) tokens.push_back(t);
  }
  const Tensor index = to_tensor(tokens);
  for (const auto& [k, v] : kept.layers)
    out.kept.layers.push_back({k.index_select(0, index), v.index_select(0, index)});
  return out;
}

std::optional<AskedSequences> asked_sequences(const Packed& x, const Rows& rows) {
  const int64_t unasked = std::count(rows.counts.begin(), rows.counts.end(), 0);
  if (unasked == 0 || unasked == x.size()) return std::nullopt;
  const auto begins = x.offsets();
  std::vector<Tensor> kept;
  std::vector<int64_t> lengths, counts, shift;  // shift [R]: how far each row moves
  int64_t dropped = 0;
  for (int64_t b = 0; b < x.size(); ++b) {
    if (rows.counts[b] == 0) {
      dropped += x.lengths[b];
      continue;
    }
    kept.push_back(x.tokens.slice(0, begins[b], begins[b + 1]));
    lengths.push_back(x.lengths[b]);
    counts.push_back(rows.counts[b]);
    shift.insert(shift.end(), rows.counts[b], dropped);
  }
  return AskedSequences{{at::cat(kept), lengths},
                        {rows.index - to_tensor(shift, rows.index.device()), counts}};
}

std::optional<DistinctTokens> distinct_tokens(const Tensor& tokens, int64_t V) {
  const Tensor all = tokens.contiguous();
  const int64_t N = all.numel(), *id = all.const_data_ptr<int64_t>();
  std::vector<int64_t> place(V, -1), distinct, of(N);
  for (int64_t i = 0; i < N; ++i) {
    check(id[i] >= 0 && id[i] < V, "[Transformer] got token ", id[i], " at ", i, ", expected 0 to ",
          V - 1, ".");
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
