// A graph for the CPU with the rules of a CUDA graph: what is recorded are libtorch's operations with
// their tensors and numbers, and nothing of the code that called them runs at a replay.
#pragma once

#include <ATen/core/dispatch/Dispatcher.h>
#include <torch/library.h>

#include "gdsd/tensor/graph.h"

namespace gdsd {

class OperationGraph : public Graph {
 public:
  explicit OperationGraph(const std::function<void()>& body);
  void replay() override;

  /// Operations by which the host would wait for a device.
  const std::vector<std::string>& waits() const { return waits_; }
  size_t size() const { return calls_.size(); }

  /// For a dispatcher's fallback alone: does the operation, and records it.
  static void call(const c10::OperatorHandle& op, torch::jit::Stack* stack);

 private:
  /// Keeps what an operation is about to write to: recording leaves no trace.
  void remember(const c10::OperatorHandle& op, const torch::jit::Stack& in);

  struct Call {
    c10::OperatorHandle op;
    torch::jit::Stack in, out;
  };
  std::vector<Call> calls_;
  std::vector<std::pair<Tensor, Tensor>> written_;  // while recording: a tensor, what it was
  std::vector<std::string> waits_;
};

}  // namespace gdsd
