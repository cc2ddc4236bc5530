// Chooses the tokenizer that a tokenizer.json describes.
#include "gdsd/text/tokenizer.h"

#include <nlohmann/json.hpp>

#include "gdsd/base/check.h"
#include "gdsd/base/file.h"
#include "gdsd/text/char_tokenizer.h"

namespace gdsd {

std::unique_ptr<Tokenizer> load_tokenizer(const std::filesystem::path& folder) {
  const std::filesystem::path path = folder / "tokenizer.json";
  const std::string bytes = read_file(path);
  try {
    const auto document = nlohmann::json::parse(bytes);
    const auto type = document.at("model").at("type").get<std::string>();
    check(type == "WordLevel", "the model type is '", type, "', expected WordLevel.");
    return std::make_unique<CharTokenizer>(CharTokenizer::from_json(document));
  } catch (const Error& e) {
    throw Error(concat("[tokenizer] ", path.string(), ": ", e.what()));
  } catch (const nlohmann::json::exception& e) {
    throw Error(concat("[tokenizer] ", path.string(), ": not a tokenizer.json: ", e.what()));
  }
}

}  // namespace gdsd
