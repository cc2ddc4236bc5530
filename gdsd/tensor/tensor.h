// The letters used for tensor dimensions everywhere in this code base.
//
//   B  rollouts in a batch           N  packed tokens: all sequences end to end
//   G  rollouts per prompt (group)   R  rows picked out of N
//   K  masked views per rollout      P  prompt tokens
//   S  denoising steps               C  completion tokens
//   D  width of a hidden state       L  sequence length, L = P + C
//   V  vocabulary                    H  heads, each of width h
#pragma once

#include <ATen/ATen.h>

#include "gdsd/base/check.h"

namespace gdsd {

using at::Tensor;

/// Throws unless `x` has exactly these sizes; -1 accepts any size.
inline void check_shape(const Tensor& x, at::IntArrayRef sizes, std::string_view name) {
  bool fits = x.dim() == static_cast<int64_t>(sizes.size());
  for (size_t i = 0; fits && i < sizes.size(); ++i) fits = sizes[i] < 0 || x.size(i) == sizes[i];
  check(fits, "[", name, "] has shape ", x.sizes(), ", expected ", sizes, ".");
}

/// A vector of numbers as a tensor [n] on `device`: int64 or float64, as the vector is.
template <class T>
Tensor to_tensor(const std::vector<T>& values, at::Device device = at::kCPU) {
  const auto options = at::TensorOptions(c10::CppTypeToScalarType<T>::value);
  Tensor out = at::empty({static_cast<int64_t>(values.size())}, options);
  std::copy(values.begin(), values.end(), out.template data_ptr<T>());
  return out.to(device);
}

/// The numbers of a tensor, row by row.
template <class T>
std::vector<T> to_vector(const Tensor& x) {
  const Tensor flat = x.to(at::kCPU, c10::CppTypeToScalarType<T>::value).contiguous();
  return {flat.template data_ptr<T>(), flat.template data_ptr<T>() + flat.numel()};
}

}  // namespace gdsd
