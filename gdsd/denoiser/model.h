// A model on disk: a Hugging Face folder with config.json, model.safetensors and a tokenizer.
#pragma once

#include "gdsd/denoiser/llada.h"
#include "gdsd/tensor/device.h"
#include "gdsd/text/tokenizer.h"

namespace gdsd {

/// How the weights are going to be used.
enum class Use {
  kInference,  // stored in the type products are made in
  kTraining,   // stored in float32, with gradients
};

/// The denoiser of a folder. Throws Error naming the file for anything missing or malformed.
std::unique_ptr<Llada> load_denoiser(const std::filesystem::path& folder, const Compute& compute,
                                     Use use);

struct Model {
  std::unique_ptr<Llada> denoiser;
  std::unique_ptr<Tokenizer> tokenizer;
};
Model load_model(const std::filesystem::path& folder, const Compute& compute, Use use);

/// The parameters that are trained, by name.
TensorMap trainable(const Llada& denoiser);

/// Writes the files of a Hugging Face folder into `folder`, which must exist and hold none of them.
void save_model(const std::filesystem::path& folder, const Llada& denoiser,
                const Tokenizer& tokenizer);

}  // namespace gdsd
