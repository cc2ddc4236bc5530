// The kernels' rows on the host, in memory of the host: what those on a GPU are compared with. A Crew
// is called with body(team) and runs it on every lane of a team.
#pragma once

#include "gdsd/cuda/draw.h"
#include "gdsd/cuda/rows.h"

namespace gdsd::cuda {

struct SerialCrew {
  template <class F>
  void operator()(F&& body) const {
    body(SerialTeam{});
  }
};

namespace host {

/// row(team, a, i) for all i < n, on the lanes of a crew.
template <class Crew, class A, class F>
CudaFailure each_row(const A& a, int64_t n, F&& row) {
  Crew{}([&](const auto& team) {
    for (int64_t i = 0; i < n; ++i) row(team, a, i);
  });
  return nullptr;
}

template <class Crew, class T>
CudaFailure norm_gradient(const NormGradient<T>& a) {
  each_row<Crew>(a, a.n, [](const auto&... x) { norm_gradient_row(x...); });
  if (!a.d_w || a.n == 0) return nullptr;
  const int64_t packs = packs_of<T>(a.D);
  Crew{}([&](const auto& team) {
    for (int64_t p = team.rank(); p < packs * norm_runs(a.n); p += team.size())
      norm_weight_run(a, p / packs, p % packs * kPack<T>);
  });
  Crew{}([&](const auto& team) {
    for (int64_t d = team.rank(); d < a.D; d += team.size()) norm_weight_sum(a, d);
  });
  return nullptr;
}

}  // namespace host

template <class T, class Crew = SerialCrew>
constexpr CudaTable<T> host_table() {
  using On = CudaStream;
  return {
      .norm =
          [](const Norm<T>& a, On) {
            return host::each_row<Crew>(a, a.n, [](const auto&... x) { norm_row(x...); });
          },
      .norm_gradient = [](const NormGradient<T>& a, On) { return host::norm_gradient<Crew>(a); },
      .rotate =
          [](const Rotation<T>& a, On) {
            return host::each_row<Crew>(a, a.n, [](const auto&... x) { rotate_row(x...); });
          },
      .swiglu = [](const Swiglu<T>& a, On) -> CudaFailure {
        Crew{}([&](const auto& team) { swiglu_numbers(team, a); });
        return nullptr;
      },
      .swiglu_gradient = [](const SwigluGradient<T>& a, On) -> CudaFailure {
        Crew{}([&](const auto& team) { swiglu_gradient_numbers(team, a); });
        return nullptr;
      },
      .propose =
          [](const Proposed<T>& a, On) {
            return host::each_row<Crew>(a, a.rows, [](const auto&... x) { propose_row(x...); });
          },
      .log_probs =
          [](const LogProbs<T>& a, On) {
            return host::each_row<Crew>(a, a.rows, [](const auto&... x) { log_probs_row(x...); });
          },
      .log_probs_gradient =
          [](const LogProbsGradient<T>& a, On) {
            return host::each_row<Crew>(a, a.rows,
                                        [](const auto&... x) { log_probs_gradient_row(x...); });
          },
  };
}

}  // namespace gdsd::cuda
