#include "gdsd/text/chat.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <vector>

#include "gdsd/base/check.h"
#include "gdsd/base/file.h"
#include "gdsd/text/chat_templates.h"
#include "tests/error_of.h"

namespace gdsd {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

class ReadChatTemplate : public testing::Test {
 protected:
  ReadChatTemplate() {
    std::string name = testing::TempDir() + "chat_test_XXXXXX";
    folder_ = mkdtemp(name.data());
  }
  ~ReadChatTemplate() override { fs::remove_all(folder_); }

  void write_config(const json& config) const {
    write_file(folder_ / "tokenizer_config.json", config.dump());
  }
  ChatTemplate read() const { return read_chat_template(folder_); }
  std::string error() const {
    return error_of([&] { read(); });
  }

  fs::path folder_;
};

TEST_F(ReadChatTemplate, KnowsTwoAndWhereThereIsNone) {
  EXPECT_EQ(read(), ChatTemplate::kNone);
  write_config({{"eos_token", "x"}});
  EXPECT_EQ(read(), ChatTemplate::kNone);
  write_config({{"chat_template", nullptr}});
  EXPECT_EQ(read(), ChatTemplate::kNone);
  write_config({{"chat_template", kLladaChatTemplate}});
  EXPECT_EQ(read(), ChatTemplate::kLlada);
  write_config({{"chat_template", std::string(kLladaChatTemplate) + "\n"}});
  EXPECT_EQ(read(), ChatTemplate::kLlada);
  write_config({{"chat_template", kDreamChatTemplate}});
  EXPECT_EQ(read(), ChatTemplate::kDream);
}

TEST_F(ReadChatTemplate, AFileOfItsOwnIsStrongerThanTheConfig) {
  write_config({{"chat_template", kLladaChatTemplate}});
  write_file(folder_ / "chat_template.jinja", kDreamChatTemplate);
  EXPECT_EQ(read(), ChatTemplate::kDream);
}

TEST_F(ReadChatTemplate, RefusesWhatDiffersInAWord) {
  std::string other(kDreamChatTemplate);
  other.replace(other.find("a helpful"), 9, "no useful");
  write_config({{"chat_template", other}});
  const std::string start = "[tokenizer] " + (folder_ / "tokenizer_config.json").string() + ": ";
  EXPECT_TRUE(error().starts_with(start + "the chat template is unknown, expected")) << error();
  write_config({{"chat_template", std::string(kLladaChatTemplate) + "\n\n"}});
  EXPECT_TRUE(error().starts_with(start + "the chat template is unknown, expected")) << error();
  write_config({{"chat_template", ""}});
  EXPECT_TRUE(error().starts_with(start + "the chat template is unknown, expected")) << error();
  write_config({{"chat_template", {{{"name", "default"}, {"template", kLladaChatTemplate}}}}});
  EXPECT_TRUE(error().starts_with(start + "'chat_template' is [{")) << error();
  write_config(json::array());
  EXPECT_TRUE(error().starts_with(start + "not a tokenizer_config.json: ")) << error();
  write_file(folder_ / "chat_template.jinja", "{{ messages }}");
  EXPECT_EQ(error(), "[tokenizer] " + (folder_ / "chat_template.jinja").string() +
                         ": the chat template is unknown, expected LLaDA's or Dream's; it begins "
                         "with \"{{ messages }}\".");
}

const std::vector<Message> kTwo{{"system", "You are terse."}, {"user", "  What is 2+2? "}};

TEST(RenderChat, Llada) {
  const std::string text =
      "<|startoftext|><|start_header_id|>system<|end_header_id|>\n\nYou are terse.<|eot_id|>"
      "<|start_header_id|>user<|end_header_id|>\n\nWhat is 2+2?<|eot_id|>"
      "<|start_header_id|>assistant<|end_header_id|>\n\n";
  EXPECT_EQ(render_chat(ChatTemplate::kLlada, kTwo), text);
  EXPECT_EQ(render_chat(ChatTemplate::kLlada, kTwo, ChatEnd::kMessages), text);
}

TEST(RenderChat, LladaTrimsAsPythonDoes) {
  const auto content = [](const std::string& text) {
    const std::vector<Message> one{{"user", text}};
    const std::string all = render_chat(ChatTemplate::kLlada, one);
    const size_t begin = all.find("\n\n") + 2;
    return all.substr(begin, all.find("<|eot_id|>") - begin);
  };
  // "".join(c for c in map(chr, range(0x110000)) if c.isspace()) of Python 3.11
  const std::string spaces =
      "\t\n\v\f\r\x1c\x1d\x1e\x1f "
      "\u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007"
      "\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000";
  EXPECT_EQ(content(spaces + "a" + spaces + "b" + spaces), "a" + spaces + "b");
  EXPECT_EQ(content(spaces), "");
  EXPECT_EQ(content("\u200b x\ufeff"), "\u200b x\ufeff");
}

TEST(RenderChat, Dream) {
  EXPECT_EQ(render_chat(ChatTemplate::kDream, kTwo),
            "<|im_start|>system\nYou are terse.<|im_end|>\n<|im_start|>user\n  What is 2+2? "
            "<|im_end|>\n<|im_start|>assistant\n");
  const std::vector<Message> late{{"user", "a"}, {"assistant", "b"}, {"system", "c"}};
  EXPECT_EQ(render_chat(ChatTemplate::kDream, late, ChatEnd::kMessages),
            "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n<|im_start|>user\na"
            "<|im_end|>\n<|im_start|>assistant\nb<|im_end|>\n<|im_start|>system\nc<|im_end|>\n");
}

TEST(RenderChat, RefusesWhatItCannotRender) {
  const std::vector<Message> tool{{"tool", "4"}};
  for (ChatTemplate which : {ChatTemplate::kLlada, ChatTemplate::kDream}) {
    EXPECT_EQ(error_of([&] { render_chat(which, tool); }),
              "[chat] the role is 'tool', expected system, user or assistant.");
    EXPECT_EQ(error_of([&] { render_chat(which, {}); }),
              "[chat] there are no messages, expected one at least.");
  }
  EXPECT_EQ(error_of([&] { render_chat(ChatTemplate::kNone, kTwo); }),
            "[chat] the model has no chat template.");
}

}  // namespace
}  // namespace gdsd
