// Who does the work of a row: a team of lanes that take every size()-th piece and meet in combine().
// On a GPU a team is a block of threads (block_team.cuh); on the host it is one lane, or in tests many.
//
// A team has rank(), size() and combine(mine, merge), which gives every lane the same bits: what all
// lanes' parts merge to, in an order that depends on size() alone. merge(S{}, x) must be x. Every
// lane has to call it.
#pragma once

#include <cstdint>

#if defined(__CUDACC__)
#define GDSD_BOTH __host__ __device__ __forceinline__
#define GDSD_BOTH_APART __host__ __device__ __noinline__  // for what is long and rare
#else
#define GDSD_BOTH inline
#define GDSD_BOTH_APART inline
#endif

namespace gdsd::cuda {

/// One lane.
struct SerialTeam {
  GDSD_BOTH int rank() const { return 0; }
  GDSD_BOTH int size() const { return 1; }
  template <class S, class F>
  GDSD_BOTH S combine(S mine, F&&) const {
    return mine;
  }
};

template <class Team>
GDSD_BOTH float sum(const Team& team, float x) {
  return team.combine(x, [](float a, float b) { return a + b; });
}

/// Of x ≥ 0.
template <class Team>
GDSD_BOTH float max(const Team& team, float x) {
  return team.combine(x, [](float a, float b) { return a > b ? a : b; });
}

}  // namespace gdsd::cuda
