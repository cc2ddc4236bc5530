#include "gdsd/tensor/safetensors.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <memory>

#include "gdsd/base/file.h"
#include "gdsd/base/json.h"

namespace gdsd {

namespace {

using nlohmann::json;

struct TypeName {
  const char* name;
  at::ScalarType type;
};
constexpr std::array kTypes{TypeName{"F64", at::kDouble}, TypeName{"F32", at::kFloat},
                            TypeName{"F16", at::kHalf},   TypeName{"BF16", at::kBFloat16},
                            TypeName{"I64", at::kLong},   TypeName{"I32", at::kInt},
                            TypeName{"I16", at::kShort},  TypeName{"I8", at::kChar},
                            TypeName{"U8", at::kByte},    TypeName{"BOOL", at::kBool}};

/// A stretch of a file in memory for as long as a tensor refers to it. Each tensor has its own, so
/// that letting go of one that has been copied frees its memory.
class Mapping {
 public:
  Mapping(int fd, uint64_t begin, uint64_t length, const std::string& where) {
    const uint64_t page = static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
    skipped_ = begin % page;  // mappings begin with a page
    size_ = length + skipped_;
    if (length == 0) return;
    void* data =
        ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, fd, static_cast<off_t>(begin - skipped_));
    check(data != MAP_FAILED, where, ": cannot map this file.");
    data_ = static_cast<char*>(data);
  }
  ~Mapping() {
    if (data_) ::munmap(data_, size_);
  }
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;

  char* data() const { return data_ ? data_ + skipped_ : nullptr; }

 private:
  char* data_ = nullptr;
  uint64_t size_ = 0, skipped_ = 0;
};

/// An open file and its size in bytes.
class File {
 public:
  File(const std::filesystem::path& file, const std::string& where)
      : fd_(::open(file.c_str(), O_RDONLY | O_CLOEXEC)) {
    struct stat info {};
    check(fd_ >= 0 && ::fstat(fd_, &info) == 0, where,
          ": cannot read this file: ", std::strerror(errno), ".");
    check(S_ISREG(info.st_mode), where, ": is no file.");
    size_ = static_cast<uint64_t>(info.st_size);
  }
  ~File() {
    if (fd_ >= 0) ::close(fd_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  int descriptor() const { return fd_; }
  uint64_t size() const { return size_; }

 private:
  int fd_;
  uint64_t size_ = 0;
};

at::ScalarType type_of(const std::string& dtype) {
  for (const TypeName& t : kTypes)
    if (t.name == dtype) return t.type;
  throw std::logic_error("[safetensors] a type without a tensor: " + dtype);
}

}  // namespace

TensorMap read_safetensors(const std::filesystem::path& file,
                           std::map<std::string, std::string>* metadata) {
  const std::string where = "[safetensors] " + file.string();
  const File opened(file, where);
  check(opened.size() >= 8, where, ": ", opened.size(), " bytes are too few.");
  uint64_t length = 0;
  std::memcpy(&length, Mapping(opened.descriptor(), 0, 8, where).data(), 8);
  check(length <= kMaxSafetensorsHeader && length <= opened.size() - 8, where, ": a header of ",
        length, " bytes does not fit the file's ", opened.size(), ". Is the file truncated?");
  const Mapping text(opened.descriptor(), 8, length, where);
  const auto entries =
      parse_safetensors_header({text.data(), length}, opened.size() - 8 - length, where, metadata);

  TensorMap tensors;
  for (const SafetensorsEntry& e : entries) {
    const auto mapping = std::make_shared<Mapping>(opened.descriptor(), 8 + length + e.begin,
                                                   e.end - e.begin, where);
    tensors[e.name] = at::from_blob(
        mapping->data(), e.shape, [mapping](void*) {}, type_of(e.dtype));
  }
  return tensors;
}

TensorMap read_safetensors_folder(const std::filesystem::path& folder) {
  const auto index_file = folder / "model.safetensors.index.json";
  if (!std::filesystem::exists(index_file)) return read_safetensors(folder / "model.safetensors");

  const std::string where = "[safetensors] " + index_file.string();
  const json index = parse_json_object(read_file(index_file), where);
  check(index.contains("weight_map") && index["weight_map"].is_object(), where,
        ": expected an object with a weight_map.");
  std::map<std::string, TensorMap> shards;
  TensorMap tensors;
  for (const auto& [name, shard] : index["weight_map"].items()) {
    check(shard.is_string(), where, ": '", name, "' names no file.");
    const auto file = shard.get<std::string>();
    check(std::filesystem::path(file).filename() == file, where, ": '", file,
          "' is not a file of this folder.");
    check(shards.contains(file) || std::filesystem::exists(folder / file), where, ": '", name,
          "' is in ", file, ", and that file is missing.");
    if (!shards.contains(file)) shards[file] = read_safetensors(folder / file);
    check(shards[file].contains(name), where, ": '", name, "' is not in ", file, ".");
  }
  for (auto& [file, shard] :
       shards)  // those that the index leaves out too: the model must want them
    for (auto& [name, tensor] : shard)
      check(tensors.emplace(name, tensor).second, where, ": '", name, "' is in two files.");
  return tensors;
}

std::string safetensors_type(const Tensor& tensor) {
  for (const TypeName& t : kTypes)
    if (t.type == tensor.scalar_type()) return t.name;
  throw Error(concat("[safetensors] cannot write a tensor of type ", tensor.scalar_type(), "."));
}

void write_safetensors(const std::filesystem::path& file, std::vector<SafetensorsEntry> entries,
                       const std::function<Tensor(const SafetensorsEntry&)>& get) {
  check(!std::filesystem::exists(file), "[safetensors] ", file.string(), ": exists already.");
  AppendFile out(file);
  out.append(make_safetensors_header(entries));
  for (const SafetensorsEntry& e : entries) {
    const Tensor dense = get(e).detach().to(at::kCPU).contiguous();
    check(dense.scalar_type() == type_of(e.dtype) && dense.nbytes() == e.end - e.begin,
          "[safetensors] '", e.name, "' is not what the header says.");
    out.append({static_cast<const char*>(dense.data_ptr()), dense.nbytes()});
  }
  out.sync();
}

void write_safetensors(const std::filesystem::path& file, const TensorMap& tensors) {
  std::vector<SafetensorsEntry> entries;
  for (const auto& [name, tensor] : tensors)
    entries.push_back(
        {.name = name, .dtype = safetensors_type(tensor), .shape = tensor.sizes().vec()});
  write_safetensors(file, std::move(entries),
                    [&](const SafetensorsEntry& e) { return tensors.at(e.name); });
}

}  // namespace gdsd
