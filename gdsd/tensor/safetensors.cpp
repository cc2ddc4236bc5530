#include "gdsd/tensor/safetensors.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>

#include "gdsd/base/file.h"

namespace gdsd {

namespace {

using nlohmann::json;

constexpr uint64_t kMaxHeader = 100'000'000;  // the reference reader's limit, in bytes

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
    void* data = ::mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd,
                        static_cast<off_t>(begin - skipped_));
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
    check(fd_ >= 0 && ::fstat(fd_, &info) == 0 && S_ISREG(info.st_mode), where,
          ": cannot read this file.");
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

/// One tensor as the header describes it.
struct Entry {
  std::string name;
  at::ScalarType type;
  std::vector<int64_t> shape;
  uint64_t begin, end;  // bytes after the header
};

/// Header JSON, with the names that occur twice refused.
json parse_header(std::string_view text, const std::string& where) {
  std::set<std::string> names;
  auto no_twins = [&](int depth, json::parse_event_t event, json& value) {
    if (event == json::parse_event_t::key && depth == 1)
      check(names.insert(value.get<std::string>()).second, where, ": '", value.get<std::string>(),
            "' is there twice.");
    return true;
  };
  try {
    return json::parse(text, no_twins);
  } catch (const json::exception& e) {
    throw Error(where + ": the header is not JSON: " + e.what());
  }
}

uint64_t to_size(const json& value, const std::string& where) {
  check(value.is_number_unsigned(), where, ": got ", value.dump(), ", expected a size.");
  return value.get<uint64_t>();
}

Entry parse_entry(const std::string& name, const json& value, const std::string& file) {
  const std::string where = file + ": tensor '" + name + "'";
  check(value.is_object() && value.size() == 3 && value.contains("dtype") &&
            value.contains("shape") && value.contains("data_offsets"),
        where, ": expected dtype, shape and data_offsets.");
  Entry entry{.name = name, .type = {}, .shape = {}, .begin = 0, .end = 0};

  const TypeName* type = nullptr;
  for (const TypeName& t : kTypes)
    if (value["dtype"] == t.name) type = &t;
  check(type != nullptr, where, ": unknown dtype ", value["dtype"].dump(), ".");
  entry.type = type->type;

  check(value["shape"].is_array(), where, ": shape is not a list.");
  uint64_t bytes = c10::elementSize(entry.type);
  for (const json& n : value["shape"]) {
    const uint64_t size = to_size(n, where + ": shape");
    check(size <= INT64_MAX && !__builtin_mul_overflow(bytes, size, &bytes) && bytes <= INT64_MAX,
          where, ": its shape overflows.");
    entry.shape.push_back(static_cast<int64_t>(size));
  }
  const json& offsets = value["data_offsets"];
  check(offsets.is_array() && offsets.size() == 2, where, ": data_offsets is not [begin, end].");
  entry.begin = to_size(offsets[0], where + ": data_offsets");
  entry.end = to_size(offsets[1], where + ": data_offsets");
  check(entry.begin <= entry.end && entry.end - entry.begin == bytes, where, ": data_offsets [",
        entry.begin, ", ", entry.end, "] do not hold its ", bytes, " bytes.");
  return entry;
}

/// Every byte after the header must belong to exactly one tensor.
void check_coverage(std::vector<Entry> entries, uint64_t size, const std::string& where) {
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return std::tie(a.begin, a.end) < std::tie(b.begin, b.end);
  });
  uint64_t at = 0;
  for (const Entry& e : entries) {
    check(e.begin == at, where, ": tensor '", e.name, "' begins at byte ", e.begin, ", expected ",
          at, ".");
    at = e.end;
  }
  check(at == size, where, ": holds ", size, " bytes of tensors, its header describes ", at,
        ". Is the file truncated?");
}

/// The tensors that a header describes, checked against the `size` bytes that follow it.
std::vector<Entry> parse_entries(std::string_view text, uint64_t size, const std::string& where,
                                 std::map<std::string, std::string>* metadata) {
  const json header = parse_header(text, where);
  check(header.is_object(), where, ": the header is not an object.");
  std::vector<Entry> entries;
  for (const auto& [name, value] : header.items()) {
    if (name != "__metadata__") {
      entries.push_back(parse_entry(name, value, where));
      continue;
    }
    check(value.is_object(), where, ": __metadata__ is not an object.");
    for (const auto& [key, about] : value.items()) {
      check(about.is_string(), where, ": __metadata__ '", key, "' is not text.");
      if (metadata) (*metadata)[key] = about.get<std::string>();
    }
  }
  check_coverage(entries, size, where);
  return entries;
}

}  // namespace

TensorMap read_safetensors(const std::filesystem::path& file,
                           std::map<std::string, std::string>* metadata) {
  const std::string where = "[safetensors] " + file.string();
  const File opened(file, where);
  check(opened.size() >= 8, where, ": ", opened.size(), " bytes are too few.");
  uint64_t length = 0;
  std::memcpy(&length, Mapping(opened.descriptor(), 0, 8, where).data(), 8);
  check(length <= kMaxHeader && length <= opened.size() - 8, where, ": a header of ", length,
        " bytes does not fit the file's ", opened.size(), ". Is the file truncated?");
  const Mapping text(opened.descriptor(), 8, length, where);
  const std::vector<Entry> entries =
      parse_entries({text.data(), length}, opened.size() - 8 - length, where, metadata);

  TensorMap tensors;
  for (const Entry& e : entries) {
    const auto mapping = std::make_shared<Mapping>(opened.descriptor(), 8 + length + e.begin,
                                                   e.end - e.begin, where);
    tensors[e.name] = at::from_blob(
        mapping->data(), e.shape, [mapping](void*) {}, e.type);
  }
  return tensors;
}

TensorMap read_safetensors_folder(const std::filesystem::path& folder) {
  const auto index_file = folder / "model.safetensors.index.json";
  if (!std::filesystem::exists(index_file)) return read_safetensors(folder / "model.safetensors");

  const std::string where = "[safetensors] " + index_file.string();
  const json index = json::parse(read_file(index_file), nullptr, /*allow_exceptions=*/false);
  check(index.is_object() && index.contains("weight_map") && index["weight_map"].is_object(), where,
        ": expected an object with a weight_map.");
  std::map<std::string, TensorMap> shards;
  TensorMap tensors;
  for (const auto& [name, shard] : index["weight_map"].items()) {
    check(shard.is_string(), where, ": '", name, "' names no file.");
    const auto file = shard.get<std::string>();
    check(std::filesystem::path(file).filename() == file, where, ": '", file,
          "' is not a file of this folder.");
    if (!shards.contains(file)) shards[file] = read_safetensors(folder / file);
    check(shards[file].contains(name), where, ": '", name, "' is not in ", file, ".");
    tensors[name] = shards[file][name];
  }
  return tensors;
}

void write_safetensors(const std::filesystem::path& file, const TensorMap& tensors) {
  check(!std::filesystem::exists(file), "[safetensors] ", file.string(), ": exists already.");
  json header{{"__metadata__", {{"format", "pt"}}}};
  uint64_t at = 0;
  for (const auto& [name, tensor] : tensors) {
    const auto* type = std::find_if(
        kTypes.begin(), kTypes.end(),
        [stored = tensor.scalar_type()](const TypeName& t) { return t.type == stored; });
    check(type != kTypes.end(), "[safetensors] cannot write '", name, "' of type ",
          tensor.scalar_type(), ".");
    const uint64_t end = at + tensor.nbytes();
    header[name] = {
        {"dtype", type->name}, {"shape", tensor.sizes().vec()}, {"data_offsets", {at, end}}};
    at = end;
  }
  std::string text = header.dump();
  text.append((8 - text.size() % 8) % 8, ' ');  // data begins on a multiple of 8
  const uint64_t length = text.size();

  AppendFile out(file);
  out.append({reinterpret_cast<const char*>(&length), 8});
  out.append(text);
  for (const auto& [name, tensor] : tensors) {
    const Tensor dense = tensor.detach().to(at::kCPU).contiguous();
    out.append({static_cast<const char*>(dense.data_ptr()), dense.nbytes()});
  }
  out.sync();
}

}  // namespace gdsd
