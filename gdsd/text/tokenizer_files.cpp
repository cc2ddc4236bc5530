#include "gdsd/text/tokenizer_files.h"

#include <algorithm>

#include "gdsd/base/file.h"
#include "gdsd/base/json.h"
#include "gdsd/text/python_files.h"
#include "gdsd/text/utf8.h"

namespace gdsd {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr size_t kBrief = 200;

}  // namespace

TokenizerFiles read_tokenizer_files(const fs::path& folder) {
  TokenizerFiles files;
  const auto read = [&](const std::string& name) {
    if (fs::exists(folder / name)) files[name] = read_file(folder / name);
  };
  for (const char* name : {"tokenizer.json", "tokenizer_config.json", "special_tokens_map.json",
                           "vocab.json", "merges.txt", "added_tokens.json", "chat_template.jinja"})
    read(name);
  if (const auto config = files.find("tokenizer_config.json"); config != files.end())
    in_file(folder / config->first, [&] {
      const json document = parse_json(config->second);
      if (!document.is_object()) return;
      files.merge(read_python_files(
          folder, document.value("/auto_map/AutoTokenizer"_json_pointer, json())));
    });
  return files;
}

std::string brief(const json& value) {
  std::string text = value.dump(-1, ' ', false, json::error_handler_t::replace);
  if (text.size() <= kBrief) return text;
  size_t end = kBrief;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return text.substr(0, end) + "…";
}

void in_file(const fs::path& path, const std::function<void()>& body) {
  const auto fail = [&](const std::string& what) {
    throw Error(concat("[tokenizer] ", path.string(), ": ", what));
  };
  try {
    body();
  } catch (const Error& e) {
    fail(e.what());
  } catch (const json::exception& e) {
    fail(concat("not a ", path.filename().string(), ": ", replace_invalid_utf8(e.what())));
  }
}

}  // namespace gdsd
