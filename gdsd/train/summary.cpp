#include "gdsd/train/summary.h"

#include <ATen/Parallel.h>

#include "gdsd/base/progress.h"

namespace gdsd {

namespace {

int64_t count(const Llada& denoiser) {
  int64_t n = 0;
  for (const auto& [name, tensor] : denoiser.parameters()) n += tensor.numel();
  return n;
}

}  // namespace

SummaryRows summarise_model(const Llada& denoiser, const Compute& compute) {
  const LladaConfig& c = denoiser.config();
  const char* products = compute.dtype == at::kBFloat16 ? "bfloat16" : "float32";
  const std::string where =
      compute.device.is_cpu()
          ? concat("CPU, ", std::max<int64_t>(compute.workers, at::get_num_threads()), " threads")
          : "GPU";
  return {{"model", concat("LLaDA, ", c.n_layers, " layers, width ", c.d_model, ", ", c.n_heads,
                           " heads, SwiGLU ", c.mlp_hidden_size, ", vocabulary ",
                           denoiser.vocabulary().size)},
          {"parameters", human_count(static_cast<double>(count(denoiser)))},
          {"compute", concat(where, ", products in ", products)}};
}

std::string training_memory(const Llada& denoiser, const Compute& compute, bool reference) {
  const double weight = 4.0 * static_cast<double>(count(denoiser));  // float32
  const double frozen =
      reference ? static_cast<double>(count(denoiser) * c10::elementSize(compute.dtype)) : 0;
  return concat(human_bytes(weight), " weights + ", human_bytes(weight), " gradients + ",
                human_bytes(2 * weight), " optimiser", reference ? " + " : "",
                reference ? human_bytes(frozen) + " reference" : "", " = ",
                human_bytes(4 * weight + frozen), ", activations besides");
}

void check_fits(const Model& model, const Problems& problems, int64_t C) {
  model.tokenizer->encode(problems.alphabet());
  const Example example = problems.draw(Split::kTrain, Key{});
  const auto P = static_cast<int64_t>(model.tokenizer->encode(example.prompt).size());
  const int64_t most = model.denoiser->config().max_sequence_length;
  check(P + C <= most, "[model] a prompt of ", P, " tokens and a completion of ", C,
        " do not fit max_sequence_length ", most, ".");
}

}  // namespace gdsd
