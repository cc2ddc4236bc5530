// What `gdsd generate` is asked: prompts and chats, from the command line or JSON lines, as tokens.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cli/generate.h"
#include "gdsd/text/chat.h"

namespace gdsd {

/// One prompt, and what else stood in its line.
struct Request {
  std::string where;  // "prompt", or the line of a file
  nlohmann::ordered_json line = nlohmann::ordered_json::object();
  std::vector<Message> messages;  // of a chat; empty for a plain prompt
  std::string prompt;             // what is encoded
  std::vector<int64_t> tokens = {};
};

std::vector<Request> read_requests(const GenerateOptions& options);

/// Puts prompts into the chat template where that is wanted, and everything into tokens, before any
/// weights are read or files written. `most` is the length of a sequence that the model knows.
/// → whether it is a chat. Errors begin with where the prompt came from.
bool encode(std::vector<Request>& requests, const GenerateOptions& options, int64_t most);

}  // namespace gdsd
