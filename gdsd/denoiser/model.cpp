#include "gdsd/denoiser/model.h"

#include <nlohmann/json.hpp>

#include "gdsd/base/file.h"
#include "gdsd/base/fingerprint.h"
#include "gdsd/denoiser/peft.h"

namespace gdsd {

namespace {

/// config.json with the type that the weights are saved in, where it says one.
std::string config_text(const Transformer& denoiser) {
  auto config = nlohmann::ordered_json::parse(denoiser.config().json);
  const at::ScalarType stored = denoiser.parameters().begin()->second.scalar_type();
  if (config.contains("torch_dtype")) config["torch_dtype"] = precision_name(stored);
  return config.dump(2) + "\n";
}

/// Copies every tensor once, to its device and type; the mapped one goes at once, and its file may
/// change or go while the model lives.
void take_over(TensorMap& parameters, const Compute& compute, bool train) {
  for (auto& [name, tensor] : parameters) {
    tensor = tensor.to(compute.device, train ? at::kFloat : compute.dtype,
                       /*non_blocking=*/false, /*copy=*/true);
    tensor.requires_grad_(train);
  }
}

Adapter load_adapter(const std::filesystem::path& folder, const Architecture& architecture,
                     const Compute& compute, Use use, const LoraOptions& lora, Key key) {
  Adapter adapter;
  const std::filesystem::path from = is_peft_folder(folder) ? folder.string() : lora.from;
  if (!from.empty()) {
    adapter = with_base(read_peft(from, architecture, compute.device), weights_folder(folder));
    if (use == Use::kTraining) check_trainable(adapter, from);
  } else if (lora.rank > 0) {
    adapter = with_base(new_adapter(architecture, lora, folder.string(), key), folder);
  }
  for (auto& [name, part] : adapter.modules) {
    part.A = part.A.to(compute.device).requires_grad_(use == Use::kTraining);
    part.B = part.B.to(compute.device).requires_grad_(use == Use::kTraining);
  }
  return adapter;
}

}  // namespace

std::filesystem::path weights_folder(const std::filesystem::path& folder) {
  return is_peft_folder(folder) ? peft_base(folder) : folder;
}

std::filesystem::path tokenizer_folder(const std::filesystem::path& folder) {
  for (const char* file : {"tokenizer.json", "vocab.json"})
    if (std::filesystem::exists(folder / file)) return folder;
  return weights_folder(folder);
}

bool is_adapted(const std::filesystem::path& folder, const LoraOptions& lora) {
  return lora.active() || is_peft_folder(folder);
}

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
  try {
    TensorMap parameters = read_safetensors_folder(from);
    check_parameters(config.architecture, parameters,
                     /*of_a_file=*/true);  // before anything is copied
    take_over(parameters, compute, use == Use::kTraining && !is_adapted(folder, lora));
    Adapter adapter = load_adapter(folder, config.architecture, compute, use, lora, key);
    return std::make_unique<Transformer>(std::move(config), std::move(parameters), compute,
                                         std::move(adapter));
  } catch (const Error& e) {
    if (!std::string_view(e.what()).starts_with("[model]")) throw;
    throw Error(concat(e.what(), "\n  in ", from.string()));
  }
}

ChatTemplate chat_of(const std::filesystem::path& folder) {
  const std::filesystem::path from = tokenizer_folder(folder);
  return usable_chat(from, *load_tokenizer(from));
}

Model load_model(const std::filesystem::path& folder, const Compute& compute, Use use,
                 const LoraOptions& lora, Key key) {
  Model model{load_denoiser(folder, compute, use, lora, key),
              load_tokenizer(tokenizer_folder(folder))};
  model.chat = usable_chat(tokenizer_folder(folder), *model.tokenizer);
  check(model.tokenizer->size() <= model.denoiser->vocabulary().size, "[model] ", folder.string(),
        ": the tokenizer has ", model.tokenizer->size(), " tokens, the model only ",
        model.denoiser->vocabulary().size, ".");
  model.denoiser->limit_vocabulary(model.tokenizer->size());
  return model;
}

Model load_of_run(const std::filesystem::path& model, const std::filesystem::path& from,
                  const Compute& compute, Use use, const LoraOptions& lora, Key key) {
  if (from == model) return load_model(model, compute, use, lora, key);
  if (!is_peft_folder(from)) return load_model(from, compute, use);
  LoraOptions saved;
  saved.from = from;
  return load_model(weights_folder(model), compute, use, saved);
}

void write_companions(const std::filesystem::path& folder, const ModelConfig& config) {
  auto files = config.companions;
  const Vocabulary& v = config.vocabulary;
  const nlohmann::json generation{
      {"eos_token_id", v.eos_id}, {"pad_token_id", v.pad_id}, {"mask_token_id", v.mask_id}};
  files.try_emplace("generation_config.json", generation.dump(2) + "\n");
  for (const auto& [name, bytes] : files)
    if (!std::filesystem::exists(folder / name)) write_file(folder / name, bytes);
}

void save_model(const std::filesystem::path& folder, const Transformer& denoiser,
                const Tokenizer& tokenizer) {
  tokenizer.save(folder);
  if (!denoiser.adapter().empty()) return write_peft(folder, denoiser.adapter());
  write_companions(folder, denoiser.config());
  write_file(folder / "config.json", config_text(denoiser));
  write_safetensors(folder / "model.safetensors", denoiser.parameters());
}

}  // namespace gdsd
