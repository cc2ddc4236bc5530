// A model on disk: a Hugging Face folder with config.json, model.safetensors and a tokenizer, or a
// PEFT folder with an adapter to such a model.
#pragma once

#include "gdsd/base/key.h"
#include "gdsd/denoiser/lora.h"
#include "gdsd/tensor/device.h"
#include "gdsd/text/chat.h"

namespace gdsd {

/// How the weights are going to be used.
enum class Use {
  kInference,  // stored in the type products are made in
  kTraining,   // stored in float32, with gradients; of a model with an adapter the adapter alone
};

/// The folder itself, or that of the base that its adapter names.
std::filesystem::path weights_folder(const std::filesystem::path& folder);

/// Where tokenizer and chat template are: the folder itself, or, for an adapter that came without
/// them, its base.
std::filesystem::path tokenizer_folder(const std::filesystem::path& folder);

/// Whether load_denoiser makes a model with an adapter of these: then the adapter alone is trained.
bool is_adapted(const std::filesystem::path& folder, const LoraOptions& lora);

/// What config.json says: of the folder, or of the base that its adapter names.
ModelConfig config_of(const std::filesystem::path& folder);

/// XXH3 of the weights' files: of the folder, or of the base that its adapter names.
std::string weights_fingerprint(const std::filesystem::path& folder);

/// The denoiser of a Hugging Face folder, or of a PEFT folder and the base that it names; to a
/// Hugging Face folder's an adapter is added if `lora` says so, a new one drawn from `key`. Every
/// tensor is copied once, to the device and type it will have, and its file is let go of. Throws
/// Error naming the file for anything missing or malformed.
std::unique_ptr<Transformer> load_denoiser(const std::filesystem::path& folder,
                                           const Compute& compute, Use use,
                                           const LoraOptions& lora = {}, Key key = {});

/// The chat template that goes with the folder, if its tokenizer knows it, else kNone.
ChatTemplate chat_of(const std::filesystem::path& folder);

struct Model {
  std::unique_ptr<Transformer> denoiser;
  std::unique_ptr<Tokenizer> tokenizer;
  ChatTemplate chat = ChatTemplate::kNone;  // that its folder has and its tokenizer knows
};
Model load_model(const std::filesystem::path& folder, const Compute& compute, Use use,
                 const LoraOptions& lora = {}, Key key = {});

/// What a run on `model` has at `from`: the model at the beginning, where `from` is the same; then a
/// checkpoint `from`, an adapter always on the base that `model` has now, wherever that was before.
Model load_of_run(const std::filesystem::path& model, const std::filesystem::path& from,
                  const Compute& compute, Use use, const LoraOptions& lora, Key key);

/// Writes generation_config.json and the Python files that came with the config, those not there.
void write_companions(const std::filesystem::path& folder, const ModelConfig& config);

/// Writes the files of a Hugging Face folder into `folder`, which must exist and hold none of them.
/// Of a model with an adapter only the adapter is written, as a PEFT folder.
void save_model(const std::filesystem::path& folder, const Transformer& denoiser,
                const Tokenizer& tokenizer);

}  // namespace gdsd
