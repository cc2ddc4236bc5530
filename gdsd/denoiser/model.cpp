#include "gdsd/denoiser/model.h"

#include <nlohmann/json.hpp>

#include "gdsd/base/file.h"
#include "gdsd/base/fingerprint.h"
#include "gdsd/denoiser/peft.h"

namespace gdsd {

namespace {

/// The folder of the weights: the folder itself, or the base of an adapter.
std::filesystem::path weights_folder(const std::filesystem::path& folder) {
  return is_peft_folder(folder) ? peft_base(folder) : folder;
}

/// config.json with the type that the weights are saved in, where it says one.
std::string config_text(const Transformer& denoiser) {
  auto config = nlohmann::ordered_json::parse(denoiser.config().json);
  const at::ScalarType stored = denoiser.parameters().begin()->second.scalar_type();
  if (config.contains("torch_dtype")) config["torch_dtype"] = precision_name(stored);
  return config.dump(2) + "\n";
}

}  // namespace

ModelConfig config_of(const std::filesystem::path& folder) {
  return read_model_config(weights_folder(folder));
}

std::string weights_fingerprint(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(weights_folder(folder)))
    if (entry.path().extension() == ".safetensors" ||
        entry.path().filename() == "model.safetensors.index.json")
      files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  return fingerprint(files);
}

std::unique_ptr<Transformer> load_denoiser(const std::filesystem::path& folder,
                                           const Compute& compute, Use use, const LoraOptions& lora,
                                           Key key) {
  const auto from = weights_folder(folder);
  check(!lora.active() || !is_peft_folder(folder), "[model] ", folder.string(),
        ": is an adapter itself, and `lora` asks for another one: give its base as the model.");
  ModelConfig config = read_model_config(from);
  const bool adapted = lora.active() || is_peft_folder(folder),
             train_weights = use == Use::kTraining && !adapted;
  TensorMap parameters = read_safetensors_folder(from);
  for (auto& [name, tensor] : parameters) {
    check(tensor.is_floating_point(), "[model] ", from.string(), ": tensor '", name,
          "' is of type ", tensor.scalar_type(), ".");
    // A copy always: the file may change or go while the model lives. The mapped one goes at once.
    tensor = tensor.to(compute.device, train_weights ? at::kFloat : compute.dtype,
                       /*non_blocking=*/false, /*copy=*/true);
    tensor.requires_grad_(train_weights);
  }
  Adapter adapter;
  if (is_peft_folder(folder))
    adapter = read_peft(folder, config.architecture, compute.device);
  else if (!lora.from.empty())
    adapter = read_peft(lora.from, config.architecture, compute.device);
  else if (lora.rank > 0)
    adapter = new_adapter(config.architecture, lora, folder.string(), key);
  for (auto& [name, part] : adapter.modules) {
    part.A = part.A.to(compute.device).requires_grad_(use == Use::kTraining);
    part.B = part.B.to(compute.device).requires_grad_(use == Use::kTraining);
  }
  try {
    return std::make_unique<Transformer>(std::move(config), std::move(parameters), compute,
                                         std::move(adapter));
  } catch (const Error& e) {
    throw Error(concat(e.what(), "\n  in ", from.string()));
  }
}

Model load_model(const std::filesystem::path& folder, const Compute& compute, Use use,
                 const LoraOptions& lora, Key key) {
  Model model{load_denoiser(folder, compute, use, lora, key), load_tokenizer(folder)};
  check(model.tokenizer->size() <= model.denoiser->vocabulary().size, "[model] ", folder.string(),
        ": the tokenizer has ", model.tokenizer->size(), " tokens, the model only ",
        model.denoiser->vocabulary().size, ".");
  model.denoiser->limit_vocabulary(model.tokenizer->size());
  return model;
}

void save_model(const std::filesystem::path& folder, const Transformer& denoiser,
                const Tokenizer& tokenizer) {
  tokenizer.save(folder);
  if (!denoiser.adapter().empty()) return write_peft(folder, denoiser.adapter());
  const Vocabulary& v = denoiser.vocabulary();
  const nlohmann::json generation{
      {"eos_token_id", v.eos_id}, {"pad_token_id", v.pad_id}, {"mask_token_id", v.mask_id}};
  write_file(folder / "config.json", config_text(denoiser));
  write_file(folder / "generation_config.json", generation.dump(2) + "\n");
  write_safetensors(folder / "model.safetensors", denoiser.parameters());
}

}  // namespace gdsd
