// The header of a safetensors file: which tensors it holds, and where.
// https://github.com/huggingface/safetensors
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace gdsd {

struct SafetensorsEntry {
  std::string name;
  std::string dtype;  // "F32", "BF16", …
  std::vector<int64_t> shape;
  uint64_t begin = 0, end = 0;  // bytes after the header
};

/// Bytes of one number of this type, 0 for an unknown one.
uint64_t safetensors_element_size(std::string_view dtype);

/// Bytes of the data of a tensor of this dtype and shape, whose size fits.
uint64_t safetensors_size(const SafetensorsEntry& entry);

/// Bytes before the header: its length.
inline constexpr uint64_t kSafetensorsPrefix = 8;

/// The longest header that is read: the reference reader's limit, in bytes.
inline constexpr uint64_t kMaxSafetensorsHeader = 100'000'000;

/// The tensors that the header `json` describes, by name. They must cover the `size` bytes that
/// follow it, each byte once. Throws Error that begins with `where` for anything malformed.
std::vector<SafetensorsEntry> parse_safetensors_header(
    std::string_view json, uint64_t size, const std::string& where,
    std::map<std::string, std::string>* metadata = nullptr);

/// The whole beginning of a file with these tensors, their data end to end in the order given:
/// length and header, padded so that the data begin on a multiple of 8. Sets begin and end.
std::string make_safetensors_header(std::vector<SafetensorsEntry>& entries);

}  // namespace gdsd
