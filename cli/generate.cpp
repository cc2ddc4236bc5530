#include "cli/generate.h"

#include <unistd.h>

#include <iostream>
#include <optional>

#include "cli/canvas.h"
#include "cli/keys.h"
#include "cli/requests.h"
#include "gdsd/base/file.h"
#include "gdsd/base/yaml.h"
#include "gdsd/denoiser/model.h"

namespace gdsd {

namespace {

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

/// Ids that end an answer.
std::vector<int64_t> stop_ids(const Model& model, bool chat) {
  std::vector<int64_t> ids{model.denoiser->vocabulary().eos_id};
  if (!chat) return ids;
  for (const char* turn : {"<|eot_id|>", "<|im_end|>"})
    if (const auto id = model.tokenizer->token_id(turn)) ids.push_back(*id);
  return ids;
}

/// A file that is called NAME.part until all of it is there: then it takes the place of NAME.
class NewFile {
 public:
  explicit NewFile(std::filesystem::path name)
      : name_(std::move(name)), part_(name_.string() + ".part"), file_(part_, 0) {}
  void append(std::string_view text) { file_.append(text); }
  void publish() {
    file_.sync();
    std::filesystem::rename(part_, name_);
    sync_folder(name_.has_parent_path() ? name_.parent_path() : std::filesystem::path("."));
  }

 private:
  std::filesystem::path name_, part_;
  AppendFile file_;
};

/// Denoises requests in batches and hands every answer on as soon as it is there.
class Generator {
 public:
  Generator(const GenerateOptions& options, const GenerateArguments& arguments, const Model& model,
            bool chat)
      : o_(options), model_(model), stop_(stop_ids(model, chat)) {
    if (!arguments.trace.empty()) trace_.emplace(arguments.trace);
    if (arguments.show) canvas_.emplace(std::cerr, isatty(STDERR_FILENO) != 0, *model.tokenizer);
    if (!o_.output.empty()) output_.emplace(o_.output);
  }

  void run(const std::vector<Request>& requests) {
    const auto n = static_cast<int64_t>(requests.size());
    for (int64_t begin = 0; begin < n; begin += o_.batch)
      batch(requests, begin, std::min(n, begin + o_.batch));
    if (output_) output_->publish();
    if (trace_) trace_->publish();
  }

 private:
  void batch(const std::vector<Request>& requests, int64_t begin, int64_t end);
  void answer(const Request& request, const std::vector<int64_t>& tokens);

  const GenerateOptions& o_;
  const Model& model_;
  const std::vector<int64_t> stop_;
  std::optional<NewFile> trace_, output_;
  std::optional<Canvas> canvas_;
};

void Generator::batch(const std::vector<Request>& requests, int64_t begin, int64_t end) {
  const int64_t C = o_.sampler.gen_length;
  Packed prompts;
  std::vector<int64_t> tokens;
  std::vector<Key> keys;
  for (int64_t i = begin; i < end; ++i) {
    const auto& ids = requests[i].tokens;
    tokens.insert(tokens.end(), ids.begin(), ids.end());
    prompts.lengths.push_back(std::ssize(ids));
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
  nlohmann::ordered_json line = request.line;
  line["completion"] = text;
  line["tokens"] = tokens;
  const std::string written =
      line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
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
  check_field(output.empty() || output != input, "output",
              "is the input: it would be overwritten.");
  check_field(batch > 0, "batch", "must be positive, got ", batch, ".");
  check_field(lora.rank == 0, "lora.rank", "a new adapter changes nothing: give lora.from.");
}

int run_generate(const GenerateArguments& arguments) {
  const GenerateOptions options = read_options(arguments);
  std::vector<Request> requests = read_requests(options);
  const Architecture architecture = config_of(options.model).architecture;
  const bool chat = encode(requests, options, architecture.max_length);
  const Compute compute = open_compute(options.compute, architecture.width);
  const Model model = load_model(options.model, compute, Use::kInference, options.lora);
  Generator(options, arguments, model, chat).run(requests);
  return kExitDone;
}

std::string generate_keys() { return describe_keys<GenerateOptions>(); }

}  // namespace gdsd
