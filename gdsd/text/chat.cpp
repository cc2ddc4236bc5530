#include "gdsd/text/chat.h"

#include "gdsd/base/check.h"
#include "gdsd/base/file.h"
#include "gdsd/base/json.h"
#include "gdsd/text/chat_templates.h"
#include "gdsd/text/python_text.h"
#include "gdsd/text/tokenizer_files.h"

namespace gdsd {
namespace {

namespace fs = std::filesystem;

/// Jinja drops one newline at the end of a template.
std::string_view without_last_newline(std::string_view text) {
  if (text.ends_with('\n')) text.remove_suffix(1);
  return text;
}

ChatTemplate recognise(std::string_view text) {
  text = without_last_newline(text);
  if (text == without_last_newline(kLladaChatTemplate)) return ChatTemplate::kLlada;
  check(text == without_last_newline(kDreamChatTemplate),
        "the chat template is unknown, expected LLaDA's or Dream's; it begins with ",
        brief(nlohmann::json(text)), ".");
  return ChatTemplate::kDream;
}

std::string llada(std::span<const Message> messages) {
  std::string text = "<|startoftext|>";
  const auto header = [&](std::string_view role) {
    text += concat("<|start_header_id|>", role, "<|end_header_id|>\n\n");
  };
  for (const Message& message : messages) {
    header(message.role);
    text += concat(python_strip(message.content), "<|eot_id|>");
  }
  header("assistant");
  return text;
}

std::string dream(std::span<const Message> messages, ChatEnd end) {
  std::string text;
  const auto add = [&](std::string_view role, std::string_view content) {
    text += concat("<|im_start|>", role, "\n", content, "<|im_end|>\n");
  };
  if (messages.front().role != "system") add("system", "You are a helpful assistant.");
  for (const Message& message : messages) add(message.role, message.content);
  if (end == ChatEnd::kAnswerHeader) text += "<|im_start|>assistant\n";
  return text;
}

}  // namespace

std::span<const char* const> chat_tokens(ChatTemplate which) {
  static constexpr const char* kLlada[] = {"<|startoftext|>", "<|start_header_id|>",
                                           "<|end_header_id|>", "<|eot_id|>"};
  static constexpr const char* kDream[] = {"<|im_start|>", "<|im_end|>"};
  switch (which) {
    case ChatTemplate::kNone: return {};
    case ChatTemplate::kLlada: return kLlada;
    case ChatTemplate::kDream: return kDream;
  }
  throw std::logic_error("[chat] unhandled template");
}

ChatTemplate read_chat_template(const fs::path& folder) {
  auto found = ChatTemplate::kNone;
  const fs::path jinja = folder / "chat_template.jinja", config = folder / "tokenizer_config.json";
  if (fs::exists(jinja)) {
    in_file(jinja, [&] { found = recognise(read_file(jinja)); });
  } else if (fs::exists(config)) {
    in_file(config, [&] {
      const auto value = parse_json(read_file(config)).value("chat_template", nlohmann::json());
      check(value.is_null() || value.is_string(), "'chat_template' is ", brief(value),
            ", expected one template.");
      if (value.is_string()) found = recognise(value.get<std::string>());
    });
  }
  return found;
}

bool knows_chat(ChatTemplate which, const Tokenizer& tokenizer) {
  return which != ChatTemplate::kNone &&
         std::ranges::all_of(chat_tokens(which), [&](const char* token) {
           return tokenizer.token_id(token).has_value();
         });
}

ChatTemplate usable_chat(const std::filesystem::path& folder, const Tokenizer& tokenizer) {
  const ChatTemplate which = read_chat_template(folder);
  return knows_chat(which, tokenizer) ? which : ChatTemplate::kNone;
}

std::string render_chat(ChatTemplate which, std::span<const Message> messages, ChatEnd end) {
  check(which != ChatTemplate::kNone, "[chat] the model has no chat template.");
  check(!messages.empty(), "[chat] there are no messages, expected one at least.");
  for (const Message& message : messages)
    check(message.role == "system" || message.role == "user" || message.role == "assistant",
          "[chat] the role is '", message.role, "', expected system, user or assistant.");
  return which == ChatTemplate::kLlada ? llada(messages) : dream(messages, end);
}

}  // namespace gdsd
