// tokenizers/: what the reference's tokenizers encode, decode and make of conversations, and NFC.
#include <cstdlib>
#include <map>

#include "gdsd/text/chat.h"
#include "gdsd/text/nfc.h"
#include "gdsd/text/tokenizer.h"
#include "gdsd/text/utf8.h"
#include "tests/golden_test/golden.h"

namespace gdsd::golden {
namespace {

/// Released tokenizers are not among the fixtures: paths that begin with data/ are below GDSD_DATA,
/// by default the folder shared/ beside the project.
path folder_of(const std::string& name, const path& root) {
  if (!name.starts_with("data/")) return root / name;
  const char* data = std::getenv("GDSD_DATA");
  return path(data ? data : GDSD_DATA_FOLDER) / name;
}

/// Loaded by the first test that needs it, and once.
const Tokenizer& tokenizer_in(const path& folder) {
  static std::map<path, std::unique_ptr<Tokenizer>> loaded;
  std::unique_ptr<Tokenizer>& tokenizer = loaded[folder];
  if (!tokenizer) tokenizer = load_tokenizer(folder);
  return *tokenizer;
}

using Ids = std::vector<int64_t>;

void check_encode(const json& fixture, const path& folder) {
  const Tokenizer& tokenizer = tokenizer_in(folder);
  const Ids ids = fixture.at("ids");
  EXPECT_EQ(tokenizer.encode(fixture.at("text").get<std::string>()), ids);
  EXPECT_EQ(tokenizer.decode(ids, SpecialTokens::kKeep), fixture.at("decoded").get<std::string>());
  if (!fixture.contains("decoded_skip_special")) return;
  EXPECT_EQ(tokenizer.decode(ids), fixture.at("decoded_skip_special").get<std::string>());
}

void check_decode(const json& fixture, const path& folder) {
  const Tokenizer& tokenizer = tokenizer_in(folder);
  const Ids ids = fixture.at("ids");
  EXPECT_EQ(tokenizer.decode(ids, SpecialTokens::kKeep), fixture.at("text").get<std::string>());
  EXPECT_EQ(tokenizer.decode(ids), fixture.at("text_skip").get<std::string>());
}

void check_chat(const json& fixture, const path& folder) {
  std::vector<Message> messages;
  for (const json& message : fixture.at("messages"))
    messages.push_back({message.at("role"), message.at("content")});
  const ChatEnd end =
      fixture.at("add_generation_prompt") == true ? ChatEnd::kAnswerHeader : ChatEnd::kMessages;
  const std::string text = render_chat(read_chat_template(folder), messages, end);
  EXPECT_EQ(text, fixture.at("text").get<std::string>());
  EXPECT_EQ(tokenizer_in(folder).encode(text), fixture.at("ids").get<Ids>());
}

std::string bytes_of_hex(const std::string& hex) {
  std::string bytes;
  for (size_t i = 0; i < hex.size(); i += 2)
    bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  return bytes;
}

void check_bytes(const json& fixture, const path& folder) {
  EXPECT_EQ(tokenizer_in(folder).decode(fixture.at("ids").get<Ids>(), SpecialTokens::kKeep),
            replace_invalid_utf8(bytes_of_hex(fixture.at("raw_bytes_hex"))));
}

/// Tests for every case of a file; `folder` has its tokenizer.
void add_cases(const json& fixtures, const std::string& name, const path& folder) {
  const std::map<std::string, void (*)(const json&, const path&)> kinds{
      {"encode", check_encode},
      {"decode", check_decode},
      {"chat", check_chat},
      {"decode_bytes", check_bytes}};
  const bool there = std::filesystem::exists(folder);
  for (const auto& [kind, check_case] : kinds) {
    if (!fixtures.contains(kind)) continue;
    if (!there) {
      add_skip("Tokenizer", name + "/" + kind, folder.string() + ", which is not there");
      continue;
    }
    const auto run = check_case;
    for (size_t i = 0; i < fixtures.at(kind).size(); ++i) {
      const json& fixture = fixtures.at(kind)[i];
      add_test("Tokenizer", concat(name, "/", kind, "/", i), [=] { run(fixture, folder); });
    }
  }
}

}  // namespace

void add_tokenizers(const path& folder) {
  std::vector<path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) files.push_back(entry);
  std::sort(files.begin(), files.end());
  for (const path& file : files) {
    const json fixtures = read_json(file);
    const std::string name = file.stem().string();
    if (fixtures.contains("cases")) {  // nfc.json
      for (size_t i = 0; i < fixtures.at("cases").size(); ++i) {
        const json& fixture = fixtures.at("cases")[i];
        add_test("Tokenizer", concat(name, "/", i), [fixture] {
          EXPECT_EQ(nfc(fixture.at("text").get<std::string>()),
                    fixture.at("nfc").get<std::string>());
        });
      }
    } else {
      // Vectors that name no folder are the released LLaDA-8B-Instruct's.
      const auto from = fixtures.value("tokenizer", "data/tokenizers/llada-8b-instruct");
      add_cases(fixtures, name, folder_of(from, folder.parent_path()));
    }
  }
}

}  // namespace gdsd::golden
