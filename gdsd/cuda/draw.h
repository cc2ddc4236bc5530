// A token for a row of logits, for a team: the Gumbel-max draw that gdsd/tensor/proposal.h defines in
// float64. In float32 all but a few tokens are seen to be too low for it, as in
// gdsd/kernel/gumbel.h; the rest is decided in float64.
#pragma once

#include "gdsd/base/random.h"
#include "gdsd/cuda/logits.h"

namespace gdsd::cuda {

/// −log(−log u) of the token v, of whose stream `word` is the word at v.
GDSD_BOTH_APART double noise(Key key, int64_t v, uint32_t word) {
  return -std::log(-std::log1p(-uniform_rest(key, static_cast<uint64_t>(v), word)));
}

/// The same to 2e-4.
GDSD_BOTH float rough_noise(Key key, int64_t v, uint32_t word) {
  const uint32_t rest = ~word;
  if (rest < uint32_t{1} << 20) return static_cast<float>(noise(key, v, word));
  const float part = static_cast<float>(rest) * 0x1p-32f;
  // −log u; where u is near 1, of 1 − u, which has the digits.
  const float e = part < 0x1p-8f ? part * (1 + part * (0.5f + part * 0.33333333f))
                                 : -std::log((static_cast<float>(word) + 0.5f) * 0x1p-32f);
  return -std::log(e);
}

/// Which tokens may be drawn: those below `usable` that are not among the banned.
struct Allowed {
  int64_t usable;
  Banned banned;

  GDSD_BOTH bool operator()(int64_t v) const {
    bool is_banned = false;
    for (int32_t id : banned) is_banned |= id == static_cast<int32_t>(v);
    return v < usable && !is_banned;
  }
};

struct Winner {
  double score = -INFINITY;
  int64_t token = 0;
};

/// The higher; of equals the lower token.
GDSD_BOTH Winner better(Winner a, Winner b) {
  return a.score > b.score || (a.score == b.score && a.token < b.token) ? a : b;
}

/// The largest logit z_v that is allowed.
template <class T, class Team>
GDSD_BOTH int64_t greedy_token(const Team& team, const T* z, const Allowed& allowed) {
  Winner mine;
  for_each_pack<T>(team, allowed.usable, [&](int64_t v, int64_t count) {
    const Floats<T> x = load(z + v, count);
    for (int i = 0; i < kPack<T>; ++i)
      if (i < count && x.x[i] > mine.score && allowed(v + i)) mine = {x.x[i], v + i};
  });
  return team.combine(mine, [](Winner a, Winner b) { return better(a, b); }).token;
}

/// Calls body(v, z_v, word at v of the stream) for this lane's tokens that are allowed.
template <class T, class Team, class F>
GDSD_BOTH void for_each_draw(const Team& team, const T* z, const Allowed& allowed, Key key,
                             F&& body) {
  for_each_pack<T>(team, allowed.usable, [&](int64_t v, int64_t count) {
    const Floats<T> x = load(z + v, count);
    for (int i = 0; i < kPack<T>; i += 4) {
      if (i >= count) break;
      const auto words = philox(key, static_cast<uint64_t>(v + i) / 4);
      for (int j = 0; j < 4; ++j)
        if (i + j < count && allowed(v + i + j)) body(v + i + j, x.x[i + j], words[j]);
    }
  });
}

/// The id of the largest z_v/T + noise, the lowest on ties; 0 if nothing is allowed.
template <class T, class Team>
GDSD_BOTH int64_t draw_token(const Team& team, const T* z, const Allowed& allowed,
                             double temperature, Key key) {
  const auto inverse = static_cast<float>(1 / temperature);
  auto rough = [&](int64_t v, float x, uint32_t word) {
    return x * inverse + rough_noise(key, v, word);
  };
  float best = -INFINITY, second = -INFINITY, widest = 0;  // of this lane
  int64_t at = 0;
  for_each_draw(team, z, allowed, key, [&](int64_t v, float x, uint32_t word) {
    const float score = rough(v, x, word), size = std::fabs(x * inverse);
    if (size < 1e30f && size > widest) widest = size;
    if (score > best)
      second = best, best = score, at = v;
    else if (score > second)
      second = score;
  });
  // Errors: of the noise below 2e-4, of x/T its rounding, 1e-7 of it.
  struct Highest {
    float score = -INFINITY;
  };
  const float all =
      team.combine(Highest{best}, [](Highest a, Highest b) { return a.score > b.score ? a : b; })
          .score;
  const float least = all - 1e-3f - 1e-6f * max(team, widest);

  Winner mine;
  if (second >= least) {
    for_each_draw(team, z, allowed, key, [&](int64_t v, float x, uint32_t word) {
      if (rough(v, x, word) >= least)
        mine = better(mine, {x / temperature + noise(key, v, word), v});
    });
  } else if (best >= least) {
    const uint32_t word = philox(key, static_cast<uint64_t>(at) / 4)[at % 4];
    mine = {to_float(z[at]) / temperature + noise(key, at, word), at};
  }
  return team.combine(mine, [](Winner a, Winner b) { return better(a, b); }).token;
}

/// Row r of a proposal.
template <class T, class Team>
GDSD_BOTH void propose_row(const Team& team, const Proposed<T>& a, int64_t r) {
  const T* z = a.z + r * a.V;
  const Allowed allowed{a.usable < 0 || a.usable > a.V ? a.V : a.usable, a.banned};
  const RowSummary all = summarise_row(team, z, a.V);
  const int64_t token = a.temperature > 0     ? draw_token(team, z, allowed, a.temperature,
                                                           Key{static_cast<uint64_t>(a.key[r])})
                        : allowed(all.argmax) ? all.argmax
                                              : greedy_token(team, z, allowed);
  if (team.rank() != 0) return;
  a.token[r] = token;
  a.log_p[r] = to_float(z[token]) - all.log_z;
  a.entropy[r] = all.entropy;
  a.margin[r] = std::exp(all.largest - all.log_z) - std::exp(all.second - all.log_z);
}

}  // namespace gdsd::cuda
