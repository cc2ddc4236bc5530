// Chooses the tokenizer that the files of a folder describe.
#include "gdsd/text/tokenizer.h"

#include "gdsd/base/json.h"

#include "gdsd/base/check.h"
#include "gdsd/text/byte_bpe.h"
#include "gdsd/text/char_tokenizer.h"

namespace gdsd {

std::unique_ptr<Tokenizer> load_tokenizer(const std::filesystem::path& folder) {
  return load_tokenizer(read_tokenizer_files(folder), folder);
}

std::unique_ptr<Tokenizer> load_tokenizer(const TokenizerFiles& files,
                                          const std::filesystem::path& folder) {
  const auto file = files.find("tokenizer.json");
  if (file == files.end()) {
    check(files.contains("vocab.json") && files.contains("merges.txt"), "[tokenizer] no ",
          (folder / "tokenizer.json").string(), ", nor vocab.json and merges.txt beside it.");
    return byte_bpe_from_vocab(files, folder);
  }
  nlohmann::json document;
  std::string type;
  std::unique_ptr<Tokenizer> tokenizer;
  in_file(folder / "tokenizer.json", [&] {
    document = parse_json(file->second);
    type = document.at("model").at("type").get<std::string>();
    check(type == "WordLevel" || type == "BPE", "the model type is '", type,
          "', expected WordLevel or BPE.");
    if (type == "WordLevel")
      tokenizer = std::make_unique<CharTokenizer>(CharTokenizer::from_json(document));
  });
  if (!tokenizer) tokenizer = byte_bpe_from_json(files, document, folder);
  return tokenizer;
}

}  // namespace gdsd
