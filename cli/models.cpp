#include "cli/models.h"

#include <cmath>
#include <iostream>
#include <nlohmann/json.hpp>

#include "gdsd/base/file.h"
#include "gdsd/base/progress.h"
#include "gdsd/denoiser/init_weights.h"
#include "gdsd/denoiser/model.h"
#include "gdsd/denoiser/peft.h"

namespace gdsd {

namespace {

namespace fs = std::filesystem;

/// A folder that appears under its name when all of it is on disk.
class NewFolder {
 public:
  explicit NewFolder(const fs::path& folder)
      : folder_(folder.filename().empty() ? folder.parent_path() : folder),
        temporary_(folder_.parent_path() / concat(".", folder_.filename().string(), ".tmp")) {
    check(!fs::exists(folder_), "[out] ", folder_.string(), ": exists already.");
    fs::remove_all(temporary_);
    fs::create_directories(temporary_);
  }
  ~NewFolder() {
    std::error_code ignored;
    if (!published_) fs::remove_all(temporary_, ignored);
  }
  NewFolder(const NewFolder&) = delete;
  NewFolder& operator=(const NewFolder&) = delete;

  const fs::path& path() const { return temporary_; }
  void publish() {
    sync_folder(temporary_);
    fs::rename(temporary_, folder_);
    published_ = true;
    sync_folder(folder_.has_parent_path() ? folder_.parent_path() : fs::path("."));
  }

 private:
  fs::path folder_, temporary_;
  bool published_ = false;
};

/// One tensor of the base at a time, with its update if it has one: never two copies of a model.
void write_merged(const fs::path& file, const TensorMap& base, const Adapter& adapter,
                  MergeLoss& loss) {
  std::vector<SafetensorsEntry> entries;
  for (const auto& [name, tensor] : base)
    entries.push_back(
        {.name = name, .dtype = safetensors_type(tensor), .shape = tensor.sizes().vec()});
  write_safetensors(file, entries, [&](const SafetensorsEntry& e) {
    const std::string matrix = e.name.substr(0, e.name.size() - std::string_view(".weight").size());
    const auto part = adapter.modules.find(matrix);
    return part == adapter.modules.end() ? base.at(e.name)
                                         : merge(base.at(e.name), part->second, loss);
  });
}

/// Tensors in files of at most `most` bytes each (or one tensor), in order of their names.
std::vector<std::vector<SafetensorsEntry>> shards(const Architecture& architecture,
                                                  const std::string& dtype, double most) {
  std::vector<std::vector<SafetensorsEntry>> out;
  double size = 0;
  for (const auto& [name, shape] : tensor_shapes(architecture)) {
    const SafetensorsEntry entry{.name = name, .dtype = dtype, .shape = shape};
    const auto bytes = static_cast<double>(safetensors_size(entry));
    if (out.empty() || size + bytes > most) out.emplace_back(), size = 0;
    out.back().push_back(entry);
    size += bytes;
  }
  return out;
}

std::string shard_name(size_t i, size_t n) {
  std::array<char, 64> name{};
  std::snprintf(name.data(), name.size(), "model-%05zu-of-%05zu.safetensors", i + 1, n);
  return name.data();
}

}  // namespace

int run_merge(const MergeArguments& arguments) {
  const fs::path from =
      arguments.base.empty() ? peft_base(arguments.adapter) : fs::path(arguments.base);
  const ModelConfig config = read_model_config(from);
  const TensorMap base = read_safetensors_folder(from);
  check_parameters(config.architecture, base, /*of_a_file=*/true);
  const Adapter adapter = read_peft(arguments.adapter, config.architecture, at::kCPU);
  NewFolder folder(arguments.out);
  MergeLoss loss;
  write_merged(folder.path() / "model.safetensors", base, adapter, loss);
  write_file(folder.path() / "config.json", config.json);
  write_companions(folder.path(), config);
  for (const auto& [file, bytes] : read_tokenizer_files(from))
    if (!fs::exists(folder.path() / file)) write_file(folder.path() / file, bytes);
  folder.publish();
  const double update = std::sqrt(loss.update_squares), lost = std::sqrt(loss.lost_squares);
  std::cout << concat(
      arguments.out, ": ", adapter.modules.size(), " matrices merged. The update's norm is ",
      update, "; rounding to ",
      precision_name(base.at(adapter.modules.begin()->first + ".weight").scalar_type()), " lost ",
      lost, " (", 100 * lost / std::max(update, 1e-300), " % of it), and left ", loss.unchanged,
      " of ", loss.updated, " touched weights as they were (",
      100 * static_cast<double>(loss.unchanged) / std::max(static_cast<double>(loss.updated), 1.0),
      " %).\n");
  return kExitDone;
}

int run_init(const InitArguments& arguments) {
  check(arguments.dtype == "bfloat16" || arguments.dtype == "float32", "[--dtype] got '",
        arguments.dtype, "', expected bfloat16 or float32.");
  check(arguments.shard_gb > 0, "[--shard-gb] must be positive, got ", arguments.shard_gb, ".");
  const fs::path like = arguments.like, from = fs::is_directory(like) ? like : like.parent_path();
  const fs::path config_file = fs::is_directory(like) ? like / "config.json" : like;
  check(fs::exists(config_file), "[--like] ", config_file.string(), ": no such file.");
  const ModelConfig config =
      parse_model_config(read_file(config_file), "[--like] " + config_file.string());
  const bool narrow = arguments.dtype == "bfloat16";
  const auto parts = shards(config.architecture, narrow ? "BF16" : "F32", arguments.shard_gb * 1e9);

  NewFolder folder(arguments.out);
  const Key key = Key{arguments.seed}.fork("init");
  nlohmann::ordered_json index{{"metadata", {{"total_size", 0}}}, {"weight_map", {}}};
  uint64_t total = 0;
  for (size_t i = 0; i < parts.size(); ++i) {
    const std::string name = parts.size() == 1 ? "model.safetensors" : shard_name(i, parts.size());
    write_safetensors(folder.path() / name, parts[i], [&](const SafetensorsEntry& e) {
      const Tensor w = init_weight(config.architecture, e.name, e.shape, key);
      index["weight_map"][e.name] = name;
      total += e.end - e.begin;
      return narrow ? w.to(at::kBFloat16) : w;
    });
    std::cerr << concat(name, ": written, ", human_bytes(static_cast<double>(total)), " so far\n");
  }
  index["metadata"]["total_size"] = total;
  auto text = nlohmann::ordered_json::parse(config.json);
  if (text.contains("torch_dtype")) text["torch_dtype"] = arguments.dtype;
  write_file(folder.path() / "config.json", text.dump(2) + "\n");
  if (parts.size() > 1)
    write_file(folder.path() / "model.safetensors.index.json", index.dump(2) + "\n");
  for (const auto& [file, bytes] : read_tokenizer_files(from))
    write_file(folder.path() / file, bytes);
  if (fs::exists(from / "config.json")) write_companions(folder.path(), read_model_config(from));
  folder.publish();
  std::cout << concat(arguments.out, ": random ", arguments.dtype, " weights, ",
                      human_bytes(static_cast<double>(total)), " in ", parts.size(), " files\n");
  return kExitDone;
}

}  // namespace gdsd
