#include "cli/eval.h"

#include <unistd.h>

#include <iostream>

#include "cli/configs.h"
#include "cli/console.h"
#include "cli/keys.h"
#include "cli/runs.h"
#include "gdsd/base/fingerprint.h"
#include "gdsd/denoiser/peft.h"
#include "gdsd/eval/results.h"
#include "gdsd/train/summary.h"

namespace gdsd {

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

/// How a run evaluates itself.
EvalConfig config_of_run(const TrainConfig& c) {
  EvalConfig config;
  config.model = c.model;
  config.lora = c.lora;
  config.task = c.task;
  config.sampler = c.rollout.sampler;
  config.sampler.temperature = c.eval.temperature;
  config.problems = c.eval.problems;
  config.samples = c.eval.samples;
  config.batch = c.eval.batch > 0 ? c.eval.batch : std::max<int64_t>(1, c.eval.problems);
  config.compute = c.compute;
  return config;
}

EvalConfig load_eval(const RunArguments& a) {
  if (is_config_of<EvalConfig, TrainConfig>(a.config)) return config_of_run(load_train(a));
  check(!is_config_of<EvalConfig, PretrainConfig>(a.config), a.config,
        ": this looks like a config of `gdsd pretrain`.");
  return load_options<EvalConfig>(a.config, a.overrides);
}

/// The config for every length of "128,256,512", or as it is; each with steps = length / 2.
std::vector<EvalConfig> by_length(const EvalConfig& config, const std::string& lengths) {
  if (lengths.empty()) return {config};
  std::vector<EvalConfig> all;
  for (size_t at = 0; at <= lengths.size();) {
    const size_t comma = std::min(lengths.find(',', at), lengths.size());
    EvalConfig one = config;
    SamplerOptions& s = one.sampler;
    check(from_text(lengths.substr(at, comma - at), s.gen_length) && s.gen_length >= 2,
          "[lengths] got '", lengths, "', expected numbers of tokens, such as 128,256,512.");
    s.steps = s.gen_length / 2;
    try {
      validate(one);
    } catch (const FieldError& e) {
      throw Error(concat("[lengths] ", s.gen_length, ": ", e.what()));
    }
    all.push_back(one);
    at = comma + 1;
  }
  return all;
}

/// What makes two evaluations the same: not how many problems are denoised together, nor by what.
Json manifest_of(const EvalConfig& config) {
  Json fields = Json::object(), data = Json::object();
  for (const Field& f : list_fields(config))
    if (!f.path.starts_with("compute.") && f.path != "batch") fields[f.path] = f.text;
  std::visit(
      [&](const auto& task) {
        for (const std::string& file : {task.files.train, task.files.test})
          if (!file.empty()) data[file] = fingerprint(file);
      },
      config.task);
  Json adapter = nullptr;
  for (const fs::path& folder : {fs::path(config.model), fs::path(config.lora.from)})
    if (!folder.empty() && is_peft_folder(folder))
      adapter = fingerprint(folder / "adapter_model.safetensors");
  return {{"config", fields},
          {"samples", config.samples},
          {"model", weights_fingerprint(config.model)},
          {"adapter", adapter},
          {"data", data}};
}

/// One evaluation under way.
class Asking {
 public:
  Asking(const EvalConfig& config, const Model& model, const Problems& problems, const Judge& judge,
         const std::string& out)
      : config_(config), model_(model), problems_(problems), judge_(judge) {
    options_.problems = config.problems;
    options_.samples = config.samples;
    options_.temperature = config.sampler.temperature;
    so_far_.problems = count_problems(problems, options_);
    so_far_.samples = config.samples;
    if (out.empty()) return;
    folder_.emplace(out, manifest_of(config));
    so_far_.results = folder_->done();
  }

  /// nullopt if it was interrupted.
  std::optional<Evaluation> run(const SummaryRows& rows);

 private:
  void ask(int64_t begin, int64_t end);
  int64_t answered() const { return std::ssize(so_far_.results) / so_far_.samples; }

  const EvalConfig& config_;
  const Model& model_;
  const Problems& problems_;
  const Judge& judge_;
  EvaluationOptions options_;
  std::optional<ResultFolder> folder_;
  Evaluation so_far_;
};

void Asking::ask(int64_t begin, int64_t end) {
  auto answers = answer(*model_.denoiser, *model_.tokenizer, problems_, judge_, config_.sampler,
                        options_, begin, end, config_.seed);
  if (folder_) folder_->add(answers);
  for (Answer& a : answers) so_far_.results.push_back(std::move(a.result));
}

std::optional<Evaluation> Asking::run(const SummaryRows& rows) {
  const int64_t n = so_far_.problems, B = config_.batch, pieces = (n + B - 1) / B;
  Console console(std::cerr, isatty(STDERR_FILENO));
  console.on_start(rows, answered() / B, pieces);
  double seconds = 0;
  while (answered() < n) {
    const auto since = std::chrono::steady_clock::now();
    const int64_t begin = answered(), end = std::min(n, begin + B);
    ask(begin, end);
    const double took =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - since).count();
    seconds += took;
    Evaluation partial = so_far_;
    partial.problems = answered();
    const auto m = partial.metrics();
    const auto tokens =
        static_cast<double>((end - begin) * so_far_.samples * config_.sampler.gen_length);
    console.on_step({.step = (answered() + B - 1) / B,
                     .total = pieces,
                     .metrics = {{"solved", m.at("eval/solved")}, {"reward", m.at("eval/reward")}},
                     .timing = {{"seconds", took}, {"tokens_per_second", tokens / took}}});
    if (answered() < n && console.interrupted()) return std::nullopt;
  }
  if (folder_) folder_->finish(so_far_, {{"version", GDSD_VERSION}, {"seconds", seconds}});
  return so_far_;
}

SummaryRows summarise(const EvalConfig& config, const Model& model, const Compute& compute,
                      int64_t problems, const std::string& out) {
  SummaryRows rows = summarise_model(*model.denoiser, compute);
  const auto task = std::visit([](const auto& t) { return t.kName; }, config.task);
  rows.emplace_back("task", concat(task, ", ", problems, " problems, ", config.samples,
                                   config.samples == 1 ? " answer each, " : " answers each, ",
                                   config.batch, " problems at a time"));
  rows.emplace_back("prompts", model.chat == ChatTemplate::kNone
                                   ? "as plain text: the model has no chat template"
                                   : "in the model's chat template, where they are worded");
  rows.emplace_back(
      "sampler",
      concat(config.sampler.gen_length, " tokens in blocks of ", config.sampler.block_length, ", ",
             config.sampler.calls(), " denoising steps, temperature ", config.sampler.temperature));
  rows.emplace_back("results", out.empty() ? "not kept: --out FOLDER keeps them" : out);
  return rows;
}

void print_metrics(const EvalConfig& config, const Evaluation& e) {
  const auto m = e.metrics();
  std::cout << concat(config.model, ": ", e.problems, " problems, ", config.sampler.gen_length,
                      " tokens: solved ", m.at("eval/solved"), " (95 % [", m.at("eval/solved_low"),
                      ", ", m.at("eval/solved_high"), "])");
  for (const auto& [name, value] : m)
    if (!name.starts_with("eval/solved")) std::cout << concat(", ", name.substr(5), " ", value);
  std::cout << "\n";
}

/// Makes room for a new evaluation.
void set_aside(const fs::path& folder) {
  if (!fs::exists(folder) || fs::is_empty(folder)) return;
  check(fs::exists(folder / "manifest.json"), "[out] ", folder.string(),
        " is not empty and holds no evaluation.");
  fs::rename(folder, free_name(folder.string() + ".old"));
}

std::vector<std::string> options_of(const EvalArguments& a) {
  std::vector<std::string> words;
  if (!a.out.empty()) words.insert(words.end(), {"--out", a.out});
  if (!a.lengths.empty()) words.insert(words.end(), {"--lengths", a.lengths});
  return words;
}

}  // namespace

void EvalConfig::validate() const {
  check_field(!model.empty(), "model", "must be given: a Hugging Face or PEFT folder.");
  check_field(lora.rank == 0, "lora.rank", "a new adapter changes nothing: give lora.from.");
  check_count(problems, "problems", 0, 1'000'000);
  check_count(samples, "samples", 1, 10'000);
  check_count(batch, "batch", 1, 1'000'000);
  check_field(samples == 1 || sampler.temperature > 0, "samples", "got ", samples,
              ", but at sampler.temperature 0 all answers to a problem are the same.");
}

int run_eval(const EvalArguments& arguments) {
  const EvalConfig asked = load_eval(arguments.run);
  const std::vector<EvalConfig> configs = by_length(asked, arguments.lengths);
  const Compute compute = open_compute(asked.compute, config_of(asked.model).architecture.width);
  const Model model = load_model(asked.model, compute, Use::kInference, asked.lora);
  const auto problems = problems_of(asked.task, model.chat);
  const Judge judge(asked.task);
  for (const EvalConfig& config : configs) {
    fs::path out = arguments.out;
    if (!out.empty() && !arguments.lengths.empty()) out /= concat(config.sampler.gen_length);
    if (!out.empty() && arguments.run.fresh) set_aside(out);
    Asking asking(config, model, *problems, judge, out.string());
    const int64_t n = count_problems(*problems, {.problems = config.problems});
    const auto evaluation = asking.run(summarise(config, model, compute, n, out.string()));
    if (!evaluation) return say_interrupted(arguments.run, "eval", options_of(arguments));
    print_metrics(config, *evaluation);
  }
  return kExitDone;
}

std::string eval_keys() { return describe_keys<EvalConfig>(); }

}  // namespace gdsd
