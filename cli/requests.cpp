#include "cli/requests.h"

#include <algorithm>
#include <fstream>
#include <iostream>

#include "gdsd/base/json.h"
#include "gdsd/denoiser/model.h"

namespace gdsd {

namespace {

using json = nlohmann::ordered_json;

std::vector<Message> read_messages(const json& list, const std::string& where) {
  check(list.is_array() && !list.empty(), where, ": messages is not a list of messages.");
  std::vector<Message> out;
  for (const json& m : list) {
    check(m.is_object() && m.contains("role") && m["role"].is_string() && m.contains("content") &&
              m["content"].is_string(),
          where, ": got the message ", m.dump(), ", expected role and content as text.");
    out.push_back({m["role"].get<std::string>(), m["content"].get<std::string>()});
  }
  return out;
}

Request read_request(const std::string& text, const std::string& where) {
  Request request{.where = where, .messages = {}, .prompt = {}};
  request.line = parse_json_object<json>(text, where);
  const json& line = request.line;
  const bool chat = line.contains("messages"), plain = line.contains("prompt");
  check(chat != plain, where, ": expected either a prompt or messages.");
  if (chat) {
    request.messages = read_messages(line["messages"], where);
  } else {
    check(line["prompt"].is_string(), where, ": prompt is ", line["prompt"].dump(),
          ", expected text.");
    request.prompt = line["prompt"].get<std::string>();
  }
  return request;
}

/// Whether prompts go into the chat template.
bool is_chat(const std::vector<Request>& requests, const GenerateOptions& o, ChatTemplate which,
             const Tokenizer& tokenizer) {
  const Request* wants = nullptr;
  for (const Request& r : requests)
    if (!wants && !r.messages.empty()) wants = &r;
  if (o.chat == ChatChoice::kOff) {
    check(!wants, wants ? wants->where : "",
          ": `messages` need the chat template, and chat is off.");
    return false;
  }
  const bool known = knows_chat(which, tokenizer);
  if (!known && o.chat == ChatChoice::kAuto && !wants) return false;
  check(which != ChatTemplate::kNone, wants ? wants->where + ": " : "", "[chat] ", o.model,
        ": has no chat template. Say chat=off, and give prompts.");
  check(
      known, wants ? wants->where + ": " : "", "[chat] ", o.model,
      ": has a chat template, but not the tokens in it: it was not trained to chat. Say chat=off, "
      "and give prompts.");
  return true;
}

void render(std::vector<Request>& requests, const GenerateOptions& o, ChatTemplate which) {
  for (Request& r : requests) {
    std::vector<Message> messages = r.messages;
    if (messages.empty()) {
      if (!o.system.empty()) messages.push_back({"system", o.system});
      messages.push_back({"user", r.prompt});
    }
    r.prompt = render_chat(which, messages);
  }
}

void to_tokens(std::vector<Request>& requests, const GenerateOptions& o, const Tokenizer& tokenizer,
               int64_t most) {
  const int64_t C = o.sampler.gen_length;
  for (Request& r : requests) {
    r.tokens = tokenizer.encode(r.prompt);
    const auto P = static_cast<int64_t>(r.tokens.size());
    check(P > 0, r.where, ": the prompt is empty: a completion needs something before it.");
    check(P + C <= most, r.where, ": a prompt of ", P, " tokens and a completion of ", C,
          " do not fit the model's ", most, ". Lower sampler.gen_length.");
  }
}

}  // namespace

std::vector<Request> read_requests(const GenerateOptions& o) {
  std::vector<Request> requests;
  if (o.input.empty())
    return {Request{
        .where = "[prompt]", .line = {{"prompt", o.prompt}}, .messages = {}, .prompt = o.prompt}};
  std::ifstream file;
  if (o.input != "-") {
    file.open(o.input);
    check(file.is_open(), "[input] ", o.input, ": cannot read this file.");
  }
  std::istream& in = o.input == "-" ? std::cin : file;
  std::string text;
  for (int64_t number = 1; std::getline(in, text); ++number)
    if (text.find_first_not_of(" \t\r") != std::string::npos)
      requests.push_back(read_request(text, concat("[input] ", o.input, ":", number)));
  check(!requests.empty(), "[input] ", o.input, ": holds no prompts.");
  return requests;
}

bool encode(std::vector<Request>& requests, const GenerateOptions& o, int64_t most) {
  const auto folder = tokenizer_folder(o.model);
  const auto tokenizer = load_tokenizer(folder);
  const ChatTemplate which = read_chat_template(folder);
  const bool chat = is_chat(requests, o, which, *tokenizer);
  if (chat) render(requests, o, which);
  to_tokens(requests, o, *tokenizer, most);
  return chat;
}

}  // namespace gdsd
