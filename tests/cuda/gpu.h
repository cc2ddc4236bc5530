// A GPU's memory and stream for programs that test and measure kernels.
#pragma once

#include <cuda_runtime.h>

#include <cstdio>
#include <cstdlib>
#include <vector>

#include "gdsd/cuda/table.h"

namespace gdsd::cuda {

/// Ends the program if a call failed.
inline void must(cudaError_t error, const char* what) {
  if (error == cudaSuccess) return;
  std::fprintf(stderr, "%s: %s\n", what, cudaGetErrorString(error));
  std::exit(1);
}
inline void must(CudaFailure failure, const char* what) {
  if (!failure) return;
  std::fprintf(stderr, "%s: %s\n", what, failure);
  std::exit(1);
}

inline bool has_gpu() {
  int count = 0;
  return cudaGetDeviceCount(&count) == cudaSuccess && count > 0;
}

/// n numbers on the GPU.
template <class T>
class OnGpu {
 public:
  explicit OnGpu(int64_t n) : n_(n) {
    must(cudaMalloc(&data_, std::max<int64_t>(1, n) * sizeof(T)), "cudaMalloc");
  }
  explicit OnGpu(const std::vector<T>& from) : OnGpu(std::ssize(from)) { put(from); }
  ~OnGpu() { cudaFree(data_); }
  OnGpu(const OnGpu&) = delete;
  OnGpu& operator=(const OnGpu&) = delete;

  T* data() const { return data_; }
  void put(const std::vector<T>& from) const {
    must(cudaMemcpy(data_, from.data(), n_ * sizeof(T), cudaMemcpyHostToDevice), "to the GPU");
  }
  std::vector<T> get() const {
    std::vector<T> out(n_);
    must(cudaMemcpy(out.data(), data_, n_ * sizeof(T), cudaMemcpyDeviceToHost), "from the GPU");
    return out;
  }

 private:
  int64_t n_;
  T* data_ = nullptr;
};

}  // namespace gdsd::cuda
