#include "gdsd/cuda/block_team.cuh"
#include "gdsd/cuda/draw.h"
#include "gdsd/cuda/rows.h"

namespace gdsd {

namespace cuda {

namespace {

/// Threads of a block that shares a row, at most; and of one whose threads work alone.
constexpr int kMost = 512, kAlone = 128;

template <class T>
__global__ void __launch_bounds__(kMost) norm_kernel(const Norm<T> a) {
  norm_row(BlockTeam{}, a, blockIdx.x);
}
template <class T>
__global__ void __launch_bounds__(kMost) norm_gradient_kernel(const NormGradient<T> a) {
  norm_gradient_row(BlockTeam{}, a, blockIdx.x);
}
template <class T>
__global__ void __launch_bounds__(kAlone) norm_weight_run_kernel(const NormGradient<T> a) {
  const int64_t d = int64_t{GridTeam{}.rank()} * kPack<T>;
  if (d < a.D) norm_weight_run(a, blockIdx.y, d);
}
template <class T>
__global__ void __launch_bounds__(kAlone) norm_weight_sum_kernel(const NormGradient<T> a) {
  const int64_t d = GridTeam{}.rank();
  if (d < a.D) norm_weight_sum(a, d);
}
template <class T>
__global__ void __launch_bounds__(kMost) rotate_kernel(const Rotation<T> a) {
  rotate_row(BlockTeam{}, a, blockIdx.x);
}
template <class T>
__global__ void __launch_bounds__(kAlone) swiglu_kernel(const Swiglu<T> a) {
  swiglu_numbers(GridTeam{}, a);
}
template <class T>
__global__ void __launch_bounds__(kAlone) swiglu_gradient_kernel(const SwigluGradient<T> a) {
  swiglu_gradient_numbers(GridTeam{}, a);
}
template <class T>
__global__ void __launch_bounds__(kMost) propose_kernel(const Proposed<T> a) {
  propose_row(BlockTeam{}, a, blockIdx.x);
}
template <class T>
__global__ void __launch_bounds__(kMost) log_probs_kernel(const LogProbs<T> a) {
  log_probs_row(BlockTeam{}, a, blockIdx.x);
}
template <class T>
__global__ void __launch_bounds__(kMost) log_probs_gradient_kernel(const LogProbsGradient<T> a) {
  log_probs_gradient_row(BlockTeam{}, a, blockIdx.x);
}

struct Grid {
  int64_t x, y = 1;
  int threads;
};

/// A block to each of `rows` rows of `width` numbers: a thread to two packs, and more in long rows.
template <class T>
Grid over_rows(int64_t rows, int64_t width) {
  int threads = 32;
  while (threads < kMost && threads * 2 < packs_of<T>(width)) threads *= 2;
  return {.x = rows, .threads = threads};
}

/// A thread to each piece.
Grid over_pieces(int64_t pieces) {
  return {.x = (pieces + kAlone - 1) / kAlone, .threads = kAlone};
}

template <class A>
CudaFailure start(void (*kernel)(A), const Grid& grid, const A& arguments, CudaStream stream) {
  if (grid.x == 0) return nullptr;
  kernel<<<dim3(static_cast<unsigned>(grid.x), static_cast<unsigned>(grid.y)), grid.threads, 0,
           static_cast<cudaStream_t>(stream)>>>(arguments);
  const cudaError_t error = cudaGetLastError();
  return error == cudaSuccess ? nullptr : cudaGetErrorString(error);
}

template <class T>
CudaFailure norm_gradient(const NormGradient<T>& a, CudaStream stream) {
  CudaFailure failure = start(norm_gradient_kernel<T>, over_rows<T>(a.n, a.D), a, stream);
  if (failure || !a.d_w || a.n == 0) return failure;
  Grid runs = over_pieces(packs_of<T>(a.D));
  runs.y = norm_runs(a.n);
  failure = start(norm_weight_run_kernel<T>, runs, a, stream);
  return failure ? failure : start(norm_weight_sum_kernel<T>, over_pieces(a.D), a, stream);
}

template <class T>
constexpr CudaTable<T> kTable{
    .norm = [](const Norm<T>& a,
               CudaStream on) { return start(norm_kernel<T>, over_rows<T>(a.n, a.D), a, on); },
    .norm_gradient = norm_gradient<T>,
    .rotate =
        [](const Rotation<T>& a, CudaStream on) {
          return start(rotate_kernel<T>, over_rows<T>(a.n, a.heads * a.h / 2), a, on);
        },
    .swiglu =
        [](const Swiglu<T>& a, CudaStream on) {
          return start(swiglu_kernel<T>, over_pieces(packs_of<T>(a.n)), a, on);
        },
    .swiglu_gradient =
        [](const SwigluGradient<T>& a, CudaStream on) {
          return start(swiglu_gradient_kernel<T>, over_pieces(packs_of<T>(a.n)), a, on);
        },
    .propose =
        [](const Proposed<T>& a, CudaStream on) {
          return start(propose_kernel<T>, over_rows<T>(a.rows, a.V), a, on);
        },
    .log_probs =
        [](const LogProbs<T>& a, CudaStream on) {
          return start(log_probs_kernel<T>, over_rows<T>(a.rows, a.V), a, on);
        },
    .log_probs_gradient =
        [](const LogProbsGradient<T>& a, CudaStream on) {
          return start(log_probs_gradient_kernel<T>, over_rows<T>(a.rows, a.V), a, on);
        },
};

}  // namespace

}  // namespace cuda

template <class T>
const CudaTable<T>* cuda_table() {
  return &cuda::kTable<T>;
}

template const CudaTable<float>* cuda_table();
template const CudaTable<Bfloat16>* cuda_table();

const char* cuda_architectures() { return GDSD_CUDA_ARCHITECTURES; }

}  // namespace gdsd
