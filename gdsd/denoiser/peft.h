// Adapters on disk, as Hugging Face's PEFT writes and reads them: a folder with
// adapter_config.json and adapter_model.safetensors. https://github.com/huggingface/peft
#pragma once

#include <filesystem>

#include "gdsd/denoiser/transformer.h"

namespace gdsd {

/// Whether the folder holds an adapter and not a model.
bool is_peft_folder(const std::filesystem::path& folder);

/// The folder of the model that an adapter says it belongs to: as it stands, or beside the adapter.
/// Throws Error if there is no such folder here.
std::filesystem::path peft_base(const std::filesystem::path& folder);

/// The same adapter as one of the model in folder `base`, which its config then names in full.
Adapter with_base(Adapter adapter, const std::filesystem::path& base);

/// Throws Error if training the adapter would be another thing than its config says: it has
/// dropout.
void check_trainable(const Adapter& adapter, const std::filesystem::path& folder);

/// Reads an adapter for such a model, in float32 on `device`. Throws Error naming file and key for
/// what is malformed or cannot be honoured, and listing the matrices where the tensors of the file
/// are not those that its config adapts.
Adapter read_peft(const std::filesystem::path& folder, const Architecture& architecture,
                  at::Device device);

/// Writes both files into `folder`, which must exist and hold neither.
void write_peft(const std::filesystem::path& folder, const Adapter& adapter);

}  // namespace gdsd
