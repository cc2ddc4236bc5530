// In place of kernels.cu in a build without nvcc.
#include "gdsd/cuda/table.h"

namespace gdsd {

template <class T>
const CudaTable<T>* cuda_table() {
  return nullptr;
}

template const CudaTable<float>* cuda_table();
template const CudaTable<Bfloat16>* cuda_table();

const char* cuda_architectures() { return ""; }

}  // namespace gdsd
