// Tensors in files, in Hugging Face's safetensors format: a length, a JSON header, dense
// little-endian data. https://github.com/huggingface/safetensors
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <string>

#include "gdsd/base/safetensors_header.h"
#include "gdsd/tensor/tensor.h"

namespace gdsd {

using TensorMap = std::map<std::string, Tensor>;

/// Every tensor of the file, mapped into memory and not yet read: a tensor's bytes are fetched when
/// they are used. Must not be written to. Throws Error naming the file for anything malformed.
TensorMap read_safetensors(const std::filesystem::path& file,
                           std::map<std::string, std::string>* metadata = nullptr);

/// The same for a folder: model.safetensors, or the shards of model.safetensors.index.json.
TensorMap read_safetensors_folder(const std::filesystem::path& folder);

/// The name that the format has for the type of a tensor: "BF16".
std::string safetensors_type(const Tensor& tensor);

/// Writes a new file, on disk when this returns; fails if the file exists. Whoever needs it to
/// appear at once writes into a temporary folder and renames that.
void write_safetensors(const std::filesystem::path& file, const TensorMap& tensors);

/// The same, one tensor after another: `get` is asked for each when it is written, and what it
/// returned is let go of before the next.
void write_safetensors(const std::filesystem::path& file, std::vector<SafetensorsEntry> entries,
                       const std::function<Tensor(const SafetensorsEntry&)>& get);

}  // namespace gdsd
