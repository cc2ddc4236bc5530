#include "gdsd/denoiser/init_weights.h"

#include <ATen/Parallel.h>

#include <cmath>
#include <numbers>

#include "gdsd/base/random.h"

namespace gdsd {

Tensor init_weight(const Architecture& architecture, const std::string& name,
                   const std::vector<int64_t>& shape, Key key) {
  if (name.ends_with(".bias")) return at::zeros(shape, at::kFloat);
  Tensor w = at::ones(shape, at::kFloat);
  if (shape.size() == 1) return w;
  const Key stream = key.fork(name);
  const double bound = 1 / std::sqrt(static_cast<double>(shape[1]));
  const bool embedding = name == part_name(architecture, Part::kEmbedding) + ".weight";
  auto normal = [&](uint64_t i) {  // Box–Muller
    return std::sqrt(-2 * std::log(uniform(stream, 2 * i))) *
           std::cos(2 * std::numbers::pi * uniform(stream, 2 * i + 1));
  };
  float* data = w.data_ptr<float>();
  at::parallel_for(0, w.numel(), 1 << 16, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i)
      data[i] = static_cast<float>(embedding ? normal(i) : bound * (2 * uniform(stream, i) - 1));
  });
  return w;
}

TensorMap init_weights(const Architecture& architecture, Key key) {
  TensorMap parameters;
  for (const auto& [name, shape] : tensor_shapes(architecture))
    parameters[name] = init_weight(architecture, name, shape, key);
  return parameters;
}

}  // namespace gdsd
