#include "gdsd/denoiser/model.h"

#include <nlohmann/json.hpp>

#include "gdsd/base/file.h"

namespace gdsd {

std::unique_ptr<Llada> load_denoiser(const std::filesystem::path& folder, const Compute& compute,
                                     Use use) {
  const auto [config, vocabulary] = read_llada_config(folder);
  TensorMap parameters = read_safetensors_folder(folder);
  for (auto& [name, tensor] : parameters) {
    check(tensor.is_floating_point(), "[model] ", folder.string(), ": tensor '", name,
          "' is of type ", tensor.scalar_type(), ".");
    // A copy always: the file may change or go while the model lives.
    const at::ScalarType stored = use == Use::kTraining ? at::kFloat : compute.dtype;
    tensor = tensor.to(compute.device, stored, /*non_blocking=*/false, /*copy=*/true);
    tensor.requires_grad_(use == Use::kTraining);
  }
  try {
    return std::make_unique<Llada>(config, vocabulary, std::move(parameters), compute);
  } catch (const Error& e) {
    throw Error(concat(e.what(), " In ", folder.string(), "."));
  }
}

Model load_model(const std::filesystem::path& folder, const Compute& compute, Use use) {
  Model model{load_denoiser(folder, compute, use), load_tokenizer(folder)};
  check(model.tokenizer->size() <= model.denoiser->vocabulary().size, "[model] ", folder.string(),
        ": the tokenizer has ", model.tokenizer->size(), " tokens, the model only ",
        model.denoiser->vocabulary().size, ".");
  return model;
}

TensorMap trainable(const Llada& denoiser) {
  TensorMap out;
  for (const auto& [name, tensor] : denoiser.parameters())
    if (tensor.requires_grad()) out[name] = tensor;
  return out;
}

void save_model(const std::filesystem::path& folder, const Llada& denoiser,
                const Tokenizer& tokenizer) {
  const Vocabulary& v = denoiser.vocabulary();
  const nlohmann::json generation{{"eos_token_id", v.eos_id}, {"pad_token_id", v.pad_id}};
  write_file(folder / "config.json", llada_config_json(denoiser.config(), v));
  write_file(folder / "generation_config.json", generation.dump(2) + "\n");
  tokenizer.save(folder);
  write_safetensors(folder / "model.safetensors", denoiser.parameters());
}

}  // namespace gdsd
