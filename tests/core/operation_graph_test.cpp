#include "tests/core/operation_graph.h"

#include <gtest/gtest.h>

#include "tests/core/table_denoiser.h"

namespace gdsd {
namespace {

constexpr auto kKey = c10::DispatchKey::TESTING_ONLY_GenericMode;

thread_local OperationGraph* recording = nullptr;

void fallback(const c10::OperatorHandle& op, torch::jit::Stack* stack) {
  const c10::impl::ExcludeDispatchKeyGuard guard(kKey);
  OperationGraph::call(op, stack);
}

TORCH_LIBRARY_IMPL(_, TESTING_ONLY_GenericMode, m) {
  m.fallback(torch::CppFunction::makeFromBoxedFunction<&fallback>());
}

bool is_wait(const std::string& name) {
  for (const char* wait : {"aten::item", "aten::_local_scalar_dense", "aten::nonzero",
                           "aten::masked_select", "aten::is_nonzero", "aten::equal"})
    if (name == wait) return true;
  return false;
}

/// The tensors of a result that an operation may have made.
std::vector<Tensor> tensors_of(const torch::jit::Stack& stack) {
  std::vector<Tensor> all;
  for (const c10::IValue& value : stack) {
    if (value.isTensor()) all.push_back(value.toTensor());
    if (value.isTensorList())
      for (const Tensor& x : value.toTensorVector()) all.push_back(x);
  }
  return all;
}

}  // namespace

void OperationGraph::call(const c10::OperatorHandle& op, torch::jit::Stack* stack) {
  const size_t n = op.schema().arguments().size();
  torch::jit::Stack in(stack->end() - static_cast<std::ptrdiff_t>(n), stack->end());
  if (recording) recording->remember(op, in);
  op.callBoxed(stack);
  const size_t results = op.schema().returns().size();
  if (!recording) return;
  if (is_wait(op.schema().name())) recording->waits_.push_back(op.schema().name());
  recording->calls_.push_back(
      {op, std::move(in),
       torch::jit::Stack(stack->end() - static_cast<std::ptrdiff_t>(results), stack->end())});
}

void OperationGraph::remember(const c10::OperatorHandle& op, const torch::jit::Stack& in) {
  for (size_t i = 0; i < in.size(); ++i) {
    const c10::AliasInfo* alias = op.schema().arguments()[i].alias_info();
    if (!alias || !alias->isWrite()) continue;
    for (const Tensor& x : tensors_of({in[i]})) written_.emplace_back(x, x.clone());
  }
}

OperationGraph::OperationGraph(const std::function<void()>& body) {
  {
    const c10::impl::IncludeDispatchKeyGuard guard(kKey);
    recording = this;
    body();
    recording = nullptr;
  }
  for (size_t i = written_.size(); i-- > 0;) written_[i].first.copy_(written_[i].second);
  written_.clear();
}

void OperationGraph::replay() {
  for (const Call& call : calls_) {
    if (call.op.schema().name().starts_with("aten::empty")) continue;
    torch::jit::Stack stack = call.in;
    call.op.callBoxed(&stack);
    const auto made = tensors_of(stack), kept = tensors_of(call.out);
    for (size_t i = 0; i < made.size(); ++i)
      if (made[i].defined() && made[i].data_ptr() != kept[i].data_ptr()) kept[i].copy_(made[i]);
  }
}

// What the host does within the body is done once; what the tensors hold is looked at every time.
TEST(OperationGraph, ReplaysOperationsAndNotTheHost) {
  const at::NoGradGuard no_grad;
  const Tensor in = at::ones({3}), out = at::zeros({3});
  int64_t runs = 0;
  OperationGraph graph([&] {
    ++runs;
    out.copy_(in.slice(0, 0, 2).sum() * runs + in);
  });
  EXPECT_TRUE(out.equal(at::zeros({3})));
  graph.replay();
  EXPECT_TRUE(out.equal(at::full({3}, 3.0)));
  in.fill_(2), runs = 7;
  graph.replay();
  EXPECT_TRUE(out.equal(at::full({3}, 6.0)));
  EXPECT_TRUE(graph.waits().empty());
  EXPECT_FALSE(OperationGraph([&] { in.sum().item<float>(); }).waits().empty());
}

}  // namespace gdsd
