// Chat templates: from messages to the text a model was taught to answer.
#pragma once

#include <filesystem>
#include <span>
#include <string>

#include "gdsd/text/tokenizer.h"

namespace gdsd {

struct Message {
  std::string role;  ///< "system", "user" or "assistant"
  std::string content;
};

/// The templates that are known. They are recognised by their whole text, since a model that was
/// taught another one may differ in a single word.
enum class ChatTemplate {
  kNone,   ///< the folder has none
  kLlada,  ///< LLaDA-8B: trims contents and always ends with the assistant's header
  kDream,  ///< Dream-7B, Qwen2.5's: says what to be where no system message does
};

/// What follows the messages: nothing, or the header that the model answers below.
enum class ChatEnd { kMessages, kAnswerHeader };

/// The template in a folder's chat_template.jinja, else in its tokenizer_config.json.
/// Throws Error naming the file if it is an unknown one.
ChatTemplate read_chat_template(const std::filesystem::path& folder);

/// The special tokens that a template writes: a tokenizer without them was never taught it.
std::span<const char* const> chat_tokens(ChatTemplate which);

/// Whether the tokenizer has them all. LLaDA-8B-Base comes with a template and was never taught it.
bool knows_chat(ChatTemplate which, const Tokenizer& tokenizer);

/// The template in a folder if its tokenizer knows it, else kNone.
ChatTemplate usable_chat(const std::filesystem::path& folder, const Tokenizer& tokenizer);

/// The text of a conversation, to be encoded as it is: special tokens stand in it as text, those a
/// content may spell included. LLaDA's template has the header whatever `end` says, as released.
/// Throws Error if there are no messages or a role is not one of the three (as a template that
/// knows it would leave such a message out), or for kNone.
std::string render_chat(ChatTemplate which, std::span<const Message> messages,
                        ChatEnd end = ChatEnd::kAnswerHeader);

}  // namespace gdsd
