// Teams on a GPU: a block of threads, and a whole grid of them.
#pragma once

#include <cuda_runtime.h>

#include <type_traits>

#include "gdsd/cuda/team.h"

namespace gdsd::cuda {

/// x of the lane `step` above this one, or of lane 0 with `step` 0; word by word.
template <class S>
__device__ __forceinline__ S shuffled(const S& x, int step) {
  static_assert(std::is_trivially_copyable_v<S> && sizeof(S) % 4 == 0);
  constexpr unsigned kAll = 0xffffffff;
  struct Words {
    uint32_t word[sizeof(S) / 4];
  };
  Words words;
  memcpy(&words, &x, sizeof x);
  for (uint32_t& word : words.word)
    word = step > 0 ? __shfl_down_sync(kAll, word, step) : __shfl_sync(kAll, word, 0);
  S out;
  memcpy(&out, &words, sizeof out);
  return out;
}

/// What the parts of a warp's lanes merge to.
template <class S, class F>
__device__ __forceinline__ S combine_warp(S mine, F&& merge) {
  for (int step = 16; step > 0; step /= 2) mine = merge(mine, shuffled(mine, step));
  return shuffled(mine, 0);
}

/// The threads of a block, a multiple of 32, at most 1024.
struct BlockTeam {
  __device__ __forceinline__ int rank() const { return static_cast<int>(threadIdx.x); }
  __device__ __forceinline__ int size() const { return static_cast<int>(blockDim.x); }

  template <class S, class F>
  __device__ __forceinline__ S combine(S mine, F&& merge) const {
    mine = combine_warp(mine, merge);
    const int warps = size() / 32, lane = rank() % 32;
    if (warps == 1) return mine;
    __shared__ alignas(16) unsigned char memory[32 * sizeof(S)];
    S* parts = reinterpret_cast<S*>(memory);
    if (lane == 0) parts[rank() / 32] = mine;
    __syncthreads();
    mine = lane < warps ? parts[lane] : S{};
    __syncthreads();  // the memory may be written to again
    return combine_warp(mine, merge);
  }
};

/// All threads of a grid: for work without combine().
struct GridTeam {
  __device__ __forceinline__ int rank() const {
    return static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  }
  __device__ __forceinline__ int size() const { return static_cast<int>(gridDim.x * blockDim.x); }
};

}  // namespace gdsd::cuda
