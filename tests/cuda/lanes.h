// A team of n lanes on the host, each a thread.
#pragma once

#include <algorithm>
#include <array>
#include <barrier>
#include <cstddef>
#include <cstring>
#include <thread>
#include <type_traits>
#include <vector>

namespace gdsd::cuda {

/// Runs body(team) on n threads, the lanes of one team, which merge in the order of BlockTeam.
template <int n>
struct Lanes {
  struct Meeting {
    std::barrier<> gate{n};
    std::array<std::array<std::byte, 64>, n> part{};
  };

  class Team {
   public:
    Team(int rank, Meeting& meeting) : rank_(rank), meeting_(meeting) {}
    int rank() const { return rank_; }
    int size() const { return n; }

    template <class S, class F>
    S combine(S mine, F&& merge) const {
      static_assert(std::is_trivially_copyable_v<S> && sizeof(S) <= 64 && sizeof(S) % 4 == 0);
      std::memcpy(meeting_.part[rank_].data(), &mine, sizeof mine);
      meeting_.gate.arrive_and_wait();
      std::array<S, n> all;
      for (int i = 0; i < n; ++i) std::memcpy(&all[i], meeting_.part[i].data(), sizeof(S));
      meeting_.gate.arrive_and_wait();
      std::array<S, 32> warps{};
      for (int w = 0; w < n / 32; ++w) warps[w] = tree(&all[32 * w], merge);
      return n == 32 ? warps[0] : tree(warps.data(), merge);
    }

   private:
    template <class S, class F>
    static S tree(const S* parts, F&& merge) {
      std::array<S, 32> x;
      std::copy(parts, parts + 32, x.begin());
      for (int step = 16; step > 0; step /= 2)
        for (int i = 0; i < step; ++i) x[i] = merge(x[i], x[i + step]);
      return x[0];
    }

    const int rank_;
    Meeting& meeting_;
  };

  template <class F>
  void operator()(F&& body) const {
    Meeting meeting;
    std::vector<std::jthread> threads;
    for (int i = 0; i < n; ++i) threads.emplace_back([&, i] { body(Team(i, meeting)); });
  }
};

}  // namespace gdsd::cuda
