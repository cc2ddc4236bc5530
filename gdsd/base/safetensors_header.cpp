#include "gdsd/base/safetensors_header.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <set>
#include <tuple>

#include "gdsd/base/json.h"

namespace gdsd {

namespace {

using nlohmann::json;

/// Header JSON, with the names that occur twice refused.
json parse_header(std::string_view text, const std::string& where) {
  std::set<std::string> names;
  auto no_twins = [&](int depth, json::parse_event_t event, json& value) {
    check(depth <= kDeepestJson, where, ": nested deeper than ", kDeepestJson, " levels.");
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

SafetensorsEntry parse_entry(const std::string& name, const json& value, const std::string& where) {
  check(value.is_object() && value.size() == 3 && value.contains("dtype") &&
            value.contains("shape") && value.contains("data_offsets"),
        where, ": expected dtype, shape and data_offsets.");
  SafetensorsEntry entry{.name = name, .dtype = {}, .shape = {}};
  if (value["dtype"].is_string()) entry.dtype = value["dtype"].get<std::string>();
  uint64_t bytes = safetensors_element_size(entry.dtype), span = bytes;
  check(bytes > 0, where, ": unknown dtype ", value["dtype"].dump(), ".");

  check(value["shape"].is_array(), where, ": shape is not a list.");
  for (const json& n : value["shape"]) {
    const uint64_t size = to_size(n, where + ": shape");
    // Strides do not see that another size is 0.
    check(!__builtin_mul_overflow(span, std::max<uint64_t>(size, 1), &span) && span <= INT64_MAX,
          where, ": its shape overflows.");
    bytes *= size;
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
void check_coverage(std::vector<SafetensorsEntry> entries, uint64_t size,
                    const std::string& where) {
  std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) {
    return std::tie(a.begin, a.end) < std::tie(b.begin, b.end);
  });
  uint64_t at = 0;
  for (const SafetensorsEntry& e : entries) {
    check(e.begin == at, where, ": tensor '", e.name, "' begins at byte ", e.begin,
          " after the header, expected ", at, ".");
    at = e.end;
  }
  check(at == size, where, ": holds ", size, " bytes of tensors, its header describes ", at,
        ". Is the file truncated?");
}

}  // namespace

uint64_t safetensors_element_size(std::string_view dtype) {
  constexpr std::array<std::pair<std::string_view, uint64_t>, 10> kSizes{{{"F64", 8},
                                                                          {"F32", 4},
                                                                          {"F16", 2},
                                                                          {"BF16", 2},
                                                                          {"I64", 8},
                                                                          {"I32", 4},
                                                                          {"I16", 2},
                                                                          {"I8", 1},
                                                                          {"U8", 1},
                                                                          {"BOOL", 1}}};
  for (const auto& [name, size] : kSizes)
    if (name == dtype) return size;
  return 0;
}

uint64_t safetensors_size(const SafetensorsEntry& entry) {
  uint64_t bytes = safetensors_element_size(entry.dtype);
  for (int64_t n : entry.shape) bytes *= static_cast<uint64_t>(n);
  return bytes;
}

std::vector<SafetensorsEntry> parse_safetensors_header(
    std::string_view text, uint64_t size, const std::string& where,
    std::map<std::string, std::string>* metadata) {
  const json header = parse_header(text, where);
  check(header.is_object(), where, ": the header is not an object.");
  std::vector<SafetensorsEntry> entries;
  for (const auto& [name, value] : header.items()) {
    if (name != "__metadata__") {
      // Every error says where in the file the tensor is described.
      const size_t at = text.find(nlohmann::json(name).dump());
      entries.push_back(
          parse_entry(name, value,
                      concat(where, ": tensor '", name, "' (described at byte ",
                             kSafetensorsPrefix + (at == std::string_view::npos ? 0 : at), ")")));
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

std::string make_safetensors_header(std::vector<SafetensorsEntry>& entries) {
  json header{{"__metadata__", {{"format", "pt"}}}};  // some readers insist on it
  uint64_t at = 0;
  for (SafetensorsEntry& e : entries) {
    e.begin = at;
    e.end = at += safetensors_size(e);
    header[e.name] = {{"dtype", e.dtype}, {"shape", e.shape}, {"data_offsets", {e.begin, e.end}}};
  }
  std::string text = header.dump();
  text.append((8 - text.size() % 8) % 8, ' ');
  const uint64_t length = text.size();
  std::string out(8, '\0');
  std::memcpy(out.data(), &length, 8);
  return out + text;
}

}  // namespace gdsd
