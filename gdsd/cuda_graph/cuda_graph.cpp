// CUDA graphs by libtorch's class for them. A shared library of its own: it is linked with libtorch's
// CUDA half, which a process loads where there is a GPU (gdsd/tensor/device.cpp), and this after it.
#include "gdsd/cuda_graph/cuda_graph.h"

#include <ATen/cuda/CUDAGraph.h>
#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAFunctions.h>
#include <c10/cuda/CUDAGuard.h>

#include <memory>

void* gdsd_record_graph(void (*body)(void*), void* context) {
  auto graph = std::make_unique<at::cuda::CUDAGraph>();
  c10::cuda::device_synchronize();
  c10::cuda::CUDACachingAllocator::emptyCache();  // the graph's pool takes none of what is cached
  const c10::cuda::CUDAStreamGuard guard(c10::cuda::getStreamFromPool());
  graph->capture_begin({0, 0}, cudaStreamCaptureModeThreadLocal);
  try {
    body(context);
  } catch (...) {
    try {
      graph->capture_end();        // else every later operation on the stream fails too
    } catch (const c10::Error&) {  // which the exception of `body` explains
    }
    throw;
  }
  graph->capture_end();
  return graph.release();
}

void gdsd_replay_graph(void* graph) { static_cast<at::cuda::CUDAGraph*>(graph)->replay(); }

void gdsd_forget_graph(void* graph) { delete static_cast<at::cuda::CUDAGraph*>(graph); }
