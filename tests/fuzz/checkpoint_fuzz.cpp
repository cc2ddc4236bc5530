// Reads the input as files of a checkpoint, through the files and the mapping that a run uses.
//
// The first byte says what the others are:
//   S  a safetensors file, length prefix and all
//   I  an index, a zero byte, and its shards: a.safetensors and b.safetensors, the same bytes
//   A  adapter_config.json, beside the tensors of an adapter that fits a small LLaDA
#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "gdsd/denoiser/lora.h"
#include "gdsd/denoiser/peft.h"
#include "tests/core/tiny_model.h"

namespace gdsd {
namespace {

namespace fs = std::filesystem;

/// A folder of this process in memory, removed when it ends.
struct Folder {
  explicit Folder(const char* kind) {
    const fs::path memory = "/dev/shm";
    const fs::path root = fs::exists(memory) ? memory : fs::temp_directory_path();
    path = root / concat("gdsd_fuzz_", ::getpid(), "_", kind);
    fs::remove_all(path);
    fs::create_directory(path);
  }
  ~Folder() { fs::remove_all(path); }

  void write(const char* name, std::string_view bytes) const {
    std::ofstream(path / name, std::ios::binary | std::ios::trunc)
        .write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  }
  fs::path path;
};

/// Every byte of every tensor, so that a mapping beyond the file is noticed.
void touch(const TensorMap& tensors) {
  unsigned sum = 0;
  for (const auto& [name, tensor] : tensors) {
    const auto* bytes = static_cast<const volatile unsigned char*>(tensor.data_ptr());
    for (size_t i = 0; i < tensor.nbytes(); ++i) sum += bytes[i];
  }
  volatile unsigned kept = sum;
  (void)kept;
}

void read_file_of(const Folder& folder, std::string_view bytes) {
  folder.write("model.safetensors", bytes);
  std::map<std::string, std::string> metadata;
  touch(read_safetensors(folder.path / "model.safetensors", &metadata));
}

void read_shards(const Folder& folder, std::string_view input) {
  const size_t zero = std::min(input.find('\0'), input.size());
  folder.write("model.safetensors.index.json", input.substr(0, zero));
  for (const char* shard : {"a.safetensors", "b.safetensors"})
    folder.write(shard, input.substr(std::min(zero + 1, input.size())));
  touch(read_safetensors_folder(folder.path));
}

void read_adapter(const Folder& folder, std::string_view config) {
  static const Architecture architecture = tiny_model_config().architecture;
  static const bool written = [&] {
    LoraOptions options;
    options.rank = 2;
    write_peft(folder.path, new_adapter(architecture, options, "base", {1}));
    return true;
  }();
  (void)written;
  folder.write("adapter_config.json", config);
  for (const auto& [name, part] : read_peft(folder.path, architecture, at::kCPU).modules)
    if (!(part.scale > 0)) std::abort();
}

}  // namespace
}  // namespace gdsd

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {  // NOLINT: libFuzzer's
  using namespace gdsd;                                                    // NOLINT
  static const Folder shards("shards"), single("single"), adapter("adapter");
  if (size == 0) return 0;
  const std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
  try {
    if (data[0] == 'S') read_file_of(single, input);
    if (data[0] == 'I') read_shards(shards, input);
    if (data[0] == 'A') read_adapter(adapter, input);
  } catch (const Error&) {
  }
  return 0;
}
