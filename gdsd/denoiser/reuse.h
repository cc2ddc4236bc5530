// Equal work, done once. What is computed of equal sequences is equal, and so is what the first
// block makes of equal tokens before they attend: at the first denoising step a group's rollouts are
// one sequence, and a canvas of 2736 tokens has a few hundred different ones.
#pragma once

#include <optional>

#include "gdsd/denoiser/key_values.h"

namespace gdsd {

/// The different sequences of a batch, for each the first of its kind.
struct DistinctSequences {
  Packed x;
  Rows rows;
  Tensor of;  // [R] int64: where the states of the whole batch's rows are among those of `rows`
  Tensor token_of;             // [N] int64: where the whole batch's tokens are among those of x
  std::vector<int64_t> which;  // of every sequence of x: which one of the whole batch it is
};

/// None if all differ, in tokens or in the rows asked for. On the CPU. `more` [N] int64 has to be equal
/// too, if it is given; those of which no row is asked are then left out.
std::optional<DistinctSequences> distinct_sequences(const Packed& x, const Rows& rows,
                                                    const Tensor& more = {});

/// The different ones of those of which some row is asked, where keys and values are kept: equal are
/// sequences that are so now and were when these were made, of the tokens kept.first.
struct DistinctWithin {
  DistinctSequences sequences;
  Window window;
  KeyValues kept;  // copies
};
std::optional<DistinctWithin> distinct_within(const Packed& x, const Rows& rows,
                                              const Window& window, const KeyValues& kept);

/// Those of which some row is asked for, and the rows in them; none if that is all of them, or none.
struct AskedSequences {
  Packed x;
  Rows rows;
};
std::optional<AskedSequences> asked_sequences(const Packed& x, const Rows& rows);

struct DistinctTokens {
  Tensor tokens;  // [U] int64, in the order in which they first appear
  Tensor of;      // [N] int64: which of them each token is
};

/// Of tokens [N] on the CPU, all below V; none if more than half of them differ.
std::optional<DistinctTokens> distinct_tokens(const Tensor& tokens, int64_t V);

}  // namespace gdsd
