// Numbers that the host knows, as tensors on a device. Each list is copied once and kept, so that a
// loop over the same lengths neither copies nor waits, and a recorded graph can read them (graph.h).
#pragma once

#include <vector>

#include "gdsd/tensor/tensor.h"

namespace gdsd {

/// `values` as a tensor [n] of `type`, int32 or int64, which nobody may write to. To a GPU the copy
/// goes through pinned memory and the host does not wait for it.
Tensor constant(const std::vector<int64_t>& values, at::ScalarType type, at::Device device);

/// A copy of its own, made in the same way: for numbers that come once.
Tensor copied(const std::vector<int64_t>& values, at::ScalarType type, at::Device device);

/// While it lives it owns every constant that this thread asks for; take() hands them on. What is
/// owned is not forgotten: work is done once under one before a graph of it is recorded, which may
/// not copy, and the tensors must outlive the last replay.
class HeldConstants {
 public:
  HeldConstants();
  ~HeldConstants();
  HeldConstants(const HeldConstants&) = delete;
  HeldConstants& operator=(const HeldConstants&) = delete;

  std::vector<Tensor> take() { return std::move(held_); }

 private:
  std::vector<Tensor> held_;
  std::vector<Tensor>* outer_;
};

}  // namespace gdsd
