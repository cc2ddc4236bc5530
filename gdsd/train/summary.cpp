#include "gdsd/train/summary.h"

#include <ATen/Parallel.h>

#include "gdsd/base/progress.h"

namespace gdsd {

namespace {

int64_t count(const TensorMap& tensors) {
  int64_t n = 0;
  for (const auto& [name, tensor] : tensors) n += tensor.numel();
  return n;
}

int64_t bytes(const TensorMap& tensors) {
  int64_t n = 0;
  for (const auto& [name, tensor] : tensors) n += static_cast<int64_t>(tensor.nbytes());
  return n;
}

}  // namespace

SummaryRows summarise_model(const Transformer& denoiser, const Compute& compute) {
  const Architecture& a = denoiser.architecture();
  const std::string where =
      compute.device.is_cpu()
          ? concat("CPU, ", std::max<int64_t>(compute.workers, at::get_num_threads()), " threads")
          : "GPU";
  const auto all = static_cast<double>(count(denoiser.parameters())),
             trained = static_cast<double>(count(denoiser.trainable()));
  return {{"model", concat(to_text(a.family), ", ", a.layers, " layers, width ", a.width, ", ",
                           a.heads, " heads, SwiGLU ", a.mlp_width, ", vocabulary ", a.vocabulary)},
          {"parameters", denoiser.adapter().empty()
                             ? human_count(all)
                             : concat(human_count(all), ", and ", human_count(trained),
                                      " of an adapter, which alone is trained")},
          {"compute", concat(where, ", products in ", precision_name(compute.dtype),
                             compute.activation_checkpointing
                                 ? ", activations computed again in the backward pass"
                                 : "")}};
}

std::string training_memory(const Transformer& denoiser, const Compute& compute, bool reference) {
  const TensorMap trained = denoiser.trainable();
  const bool adapted = !denoiser.adapter().empty();
  const auto weights = static_cast<double>(bytes(denoiser.parameters())),
             learnt = static_cast<double>(bytes(trained)),
             // A single worker's are the sum.
      gradients = learnt * static_cast<double>(compute.workers > 1 ? compute.workers + 1 : 1);
  // Without an adapter the reference is a copy of the weights; with one it is the base.
  const double frozen =
      reference && !adapted
          ? static_cast<double>(count(denoiser.parameters()) *
                                static_cast<int64_t>(c10::elementSize(compute.dtype)))
          : 0;
  return concat(human_bytes(weights), " weights + ",
                adapted ? human_bytes(learnt) + " adapter + " : "", human_bytes(gradients),
                " gradients + ", human_bytes(2 * learnt), " optimiser", frozen > 0 ? " + " : "",
                frozen > 0 ? human_bytes(frozen) + " reference" : "", " = ",
                human_bytes(weights + gradients + (adapted ? 3 : 2) * learnt + frozen),
                ", activations besides");
}

void check_fits(const Model& model, const Problems& problems, int64_t C) {
  model.tokenizer->encode(problems.alphabet());
  const int64_t most = model.denoiser->architecture().max_length;
  constexpr uint64_t kPrompts = 64;  // of a file's the longest may be another
  for (uint64_t i = 0; i < kPrompts; ++i) {
    const Example example = problems.draw(Split::kTrain, Key{}.fork("check_fits", i));
    const auto P = static_cast<int64_t>(model.tokenizer->encode(example.prompt).size());
    check(P + C <= most, "[model] the prompt of ", example.source, " has ", P,
          " tokens: with a completion of ", C, " it does not fit max_sequence_length ", most, ".");
  }
}

}  // namespace gdsd
