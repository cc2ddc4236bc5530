// Keys as tensors, so that a device can fork them and draw: int64, bit for bit a Key's.
#pragma once

#include <span>

#include "gdsd/base/key.h"
#include "gdsd/tensor/tensor.h"

namespace gdsd {

/// [B] int64. The host does not wait for the copy.
Tensor key_tensor(std::span<const Key> keys, at::Device device);

/// Key::fork of every key, for an index ≥ 0 each: int64, broadcast.
Tensor fork(const Tensor& keys, std::string_view purpose, const Tensor& index);

/// Draw 0 of every key's stream, uniform(key, 0): float64, as `keys`.
Tensor first_uniform(const Tensor& keys);

/// Keys [R] as values, for work on the CPU. Waits for a GPU.
std::vector<Key> to_keys(const Tensor& keys);

}  // namespace gdsd
