#include "cli/generate.h"

#include <unistd.h>

#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <optional>

#include "cli/canvas.h"
#include "cli/keys.h"
#include "gdsd/base/file.h"
#include "gdsd/base/yaml.h"
#include "gdsd/denoiser/model.h"
#include "gdsd/text/chat.h"

namespace gdsd {

namespace {

using json = nlohmann::ordered_json;

/// One prompt, and what else stood in its line.
struct Request {
  json line = json::object();
  std::vector<Message> messages;  // of a chat; empty for a plain prompt
  std::string prompt;             // what is encoded
};

/// What Dream's authors decode with (chat: temperature 0.2, top_p 0.95 besides).
void prefer_dream(SamplerOptions& o) {
  o.block_length = 0;
  o.remasking = Remasking::kEntropy;
  o.confidence_of = ConfidenceOf::kProposal;
  o.schedule = Schedule::kTimesteps;
}

/// The options, with defaults that depend on the model they name.
GenerateOptions read_options(const GenerateArguments& arguments) {
  std::string file;
  std::vector<std::string> overrides;
  for (const std::string& word : arguments.words) {
    if (word.find('=') != std::string::npos) {
      overrides.push_back(word);
    } else {
      check(file.empty(), "[generate] got two config files, '", file, "' and '", word, "'.");
      file = word;
    }
  }
  GenerateOptions defaults;
  std::vector<Setting> settings;
  if (!file.empty()) settings = read_settings(file, overrides, list_fields(defaults));
  if (file.empty())
    for (const std::string& argument : overrides) settings.push_back(parse_override(argument));
  std::string model;
  for (const Setting& s : settings)
    if (s.path == "model") model = s.text;
  if (!model.empty() && config_of(model).architecture.family == Family::kDream)
    prefer_dream(defaults.sampler);
  return apply_settings<GenerateOptions>(file, settings, defaults);
}

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
  Request request;
  request.line = json::parse(text, nullptr, /*allow_exceptions=*/false);
  const json& line = request.line;
  check(line.is_object(), where, ": not a JSON object.");
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

std::vector<Request> read_requests(const GenerateOptions& o) {
  std::vector<Request> requests;
  if (o.input.empty())
    return {Request{.line = {{"prompt", o.prompt}}, .messages = {}, .prompt = o.prompt}};
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

/// Puts prompts into the chat template where that is wanted; → whether it is.
bool render(std::vector<Request>& requests, const GenerateOptions& o) {
  if (o.chat == ChatChoice::kOff) {
    for (const Request& r : requests)
      check(r.messages.empty(), "[chat] `messages` need the chat template, and chat is off.");
    return false;
  }
  const ChatTemplate which = read_chat_template(o.model);
  if (which == ChatTemplate::kNone && o.chat == ChatChoice::kAuto && requests[0].messages.empty())
    return false;
  check(which != ChatTemplate::kNone, "[chat] ", o.model, ": has no chat template. Say chat=off.");
  for (Request& r : requests) {
    std::vector<Message> messages = r.messages;
    if (messages.empty()) {
      if (!o.system.empty()) messages.push_back({"system", o.system});
      messages.push_back({"user", r.prompt});
    }
    r.prompt = render_chat(which, messages);
  }
  return true;
}

/// Ids that end an answer.
std::vector<int64_t> stop_ids(const Model& model, bool chat) {
  std::vector<int64_t> ids{model.denoiser->vocabulary().eos_id};
  if (!chat) return ids;
  for (const char* turn : {"<|eot_id|>", "<|im_end|>"})
    if (const auto id = model.tokenizer->token_id(turn)) ids.push_back(*id);
  return ids;
}

/// Denoises requests in batches and hands every answer on as soon as it is there.
class Generator {
 public:
  Generator(const GenerateOptions& options, const GenerateArguments& arguments, const Model& model,
            bool chat)
      : o_(options), model_(model), stop_(stop_ids(model, chat)) {
    if (!arguments.trace.empty()) trace_.emplace(arguments.trace, 0);
    if (arguments.show) canvas_.emplace(std::cerr, isatty(STDERR_FILENO) != 0, *model.tokenizer);
    if (!o_.output.empty()) output_.emplace(o_.output, 0);
  }

  void run(const std::vector<Request>& requests) {
    const auto n = static_cast<int64_t>(requests.size());
    for (int64_t begin = 0; begin < n; begin += o_.batch)
      batch(requests, begin, std::min(n, begin + o_.batch));
    if (output_) output_->sync();
    if (trace_) trace_->sync();
  }

 private:
  void batch(const std::vector<Request>& requests, int64_t begin, int64_t end);
  void answer(const Request& request, const std::vector<int64_t>& tokens);

  const GenerateOptions& o_;
  const Model& model_;
  const std::vector<int64_t> stop_;
  std::optional<AppendFile> trace_, output_;
  std::optional<Canvas> canvas_;
};

void Generator::batch(const std::vector<Request>& requests, int64_t begin, int64_t end) {
  const int64_t C = o_.sampler.gen_length, most = model_.denoiser->architecture().max_length;
  Packed prompts;
  std::vector<int64_t> tokens;
  std::vector<Key> keys;
  for (int64_t i = begin; i < end; ++i) {
    const auto ids = model_.tokenizer->encode(requests[i].prompt);
    const auto P = static_cast<int64_t>(ids.size());
    check(P > 0, "[generate] prompt ", i, " is empty: a completion needs something before it.");
    check(P + C <= most, "[generate] prompt ", i, " of ", P, " tokens and a completion of ", C,
          " do not fit the model's ", most, ". Lower sampler.gen_length.");
    tokens.insert(tokens.end(), ids.begin(), ids.end());
    prompts.lengths.push_back(P);
    keys.push_back(Key{o_.seed}.fork("prompt", i));
  }
  prompts.tokens = to_tensor(tokens, model_.denoiser->head().device());
  UnmaskingOrder order(end - begin, C);
  Watch watch;
  if (trace_ || canvas_)
    watch = [&](const StepView& view) {
      const auto steps = order.see(view);
      if (trace_)
        for (const Revealed& r : steps) trace_->append(to_json(r, begin) + "\n");
      if (canvas_) canvas_->draw(view, steps);
    };
  const Samples out = sample(*model_.denoiser, prompts, o_.sampler, keys, watch);
  if (canvas_) canvas_->finish();
  const Tensor completions =
      out.sequences.tokens.index_select(0, tail_rows(out.sequences, C).flatten())
          .view({end - begin, C});
  for (int64_t i = begin; i < end; ++i)
    answer(requests[i], to_vector<int64_t>(completions[i - begin]));
}

void Generator::answer(const Request& request, const std::vector<int64_t>& tokens) {
  const auto stop = o_.special_tokens ? tokens.end()
                                      : std::find_first_of(tokens.begin(), tokens.end(),
                                                           stop_.begin(), stop_.end());
  const std::string text = model_.tokenizer->decode(
      {tokens.begin(), stop}, o_.special_tokens ? SpecialTokens::kKeep : SpecialTokens::kLeaveOut);
  json line = request.line;
  line["completion"] = text;
  line["tokens"] = tokens;
  const std::string written = line.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
  if (output_)
    output_->append(written);
  else if (!o_.input.empty())
    std::cout << written << std::flush;
  else
    std::cout << text << "\n" << std::flush;
}

}  // namespace

void GenerateOptions::validate() const {
  check_field(!model.empty(), "model", "must be given: a Hugging Face folder.");
  check_field(prompt.empty() != input.empty(), "prompt", "give either a prompt or an input file.");
  check_field(batch > 0, "batch", "must be positive, got ", batch, ".");
  check_field(lora.rank == 0, "lora.rank", "a new adapter changes nothing: give lora.from.");
}

int run_generate(const GenerateArguments& arguments) {
  const GenerateOptions options = read_options(arguments);
  std::vector<Request> requests = read_requests(options);
  const bool chat = render(requests, options);
  const Compute compute =
      open_compute(options.compute, config_of(options.model).architecture.width);
  const Model model = load_model(options.model, compute, Use::kInference, options.lora);
  Generator(options, arguments, model, chat).run(requests);
  return kExitDone;
}

std::string generate_keys() { return describe_keys<GenerateOptions>(); }

}  // namespace gdsd
