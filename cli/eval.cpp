#include "cli/eval.h"

#include <iostream>

#include "cli/asking.h"
#include "cli/configs.h"
#include "cli/keys.h"
#include "cli/runs.h"
#include "gdsd/base/fingerprint.h"
#include "gdsd/base/json.h"
#include "gdsd/denoiser/peft.h"
#include "gdsd/train/summary.h"

namespace gdsd {

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

/// How a run evaluates itself.
EvalConfig config_of_run(const TrainConfig& c) {
  EvalConfig config;
  config.model = c.model;
  if (!is_peft_folder(c.model)) config.lora.from = c.lora.from;
  config.task = c.task;
  config.sampler = c.rollout.sampler;
  config.sampler.temperature = c.eval.temperature;
  config.problems = c.eval.problems;
  config.samples = c.eval.samples;
  if (c.eval.batch > 0 || c.eval.problems > 0)
    config.batch = c.eval.batch > 0 ? c.eval.batch : c.eval.problems;
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

/// Who answers: XXH3 of the weights, of an adapter, and of what makes text of tokens, and the type
/// products are made in.
Json identity_of(const EvalConfig& config, const Compute& compute) {
  std::vector<fs::path> small;
  Json adapter = nullptr;
  for (const fs::path& folder : {fs::path(config.model), fs::path(config.lora.from)}) {
    if (folder.empty() || !is_peft_folder(folder)) continue;
    adapter = fingerprint(folder / "adapter_model.safetensors");
    small.push_back(folder / "adapter_config.json");
  }
  const fs::path from = tokenizer_folder(config.model);
  for (const char* file : {"tokenizer.json", "vocab.json", "merges.txt", "tokenizer_config.json",
                           "chat_template.jinja"})
    if (fs::exists(from / file)) small.push_back(from / file);
  return {{"model", weights_fingerprint(config.model)},
          {"adapter", adapter},
          {"texts", fingerprint(small)},
          {"precision", precision_name(compute.dtype)}};
}

/// What makes two evaluations the same: not how many problems are denoised together, nor on what.
Json manifest_of(const EvalConfig& config, const Json& who) {
  Json fields = Json::object(), data = Json::object();
  for (const Field& f : list_fields(config))
    if (!f.path.starts_with("compute.") && f.path != "batch") fields[f.path] = f.text;
  std::visit(
      [&](const auto& task) {
        for (const std::string& file : {task.files.train, task.files.test})
          if (!file.empty()) data[file] = fingerprint(file);
      },
      config.task);
  Json manifest{{"config", fields}, {"samples", config.samples}, {"data", data}};
  manifest.update(who);
  return manifest;
}

/// Throws Error for a prompt that does not fit the model with what is written after it.
void check_lengths(const Model& model, const Problems& problems, int64_t n, int64_t C) {
  const int64_t most = model.denoiser->architecture().max_length;
  for (int64_t i = 0; i < n; ++i) {
    const Example example = problems.held_out(i);
    const auto P = std::ssize(model.tokenizer->encode(example.prompt));
    check(P + C <= most, "[model] the prompt of ", example.source, " has ", P,
          " tokens: with a completion of ", C, " it does not fit the model's ", most, ".");
  }
}

std::string describe_task(const EvalConfig& config, int64_t problems) {
  return concat(std::visit([](const auto& t) { return t.kName; }, config.task), ", ", problems,
                " problems, ", config.samples,
                config.samples == 1 ? " answer each, " : " answers each, ", config.batch,
                " problems at a time");
}

SummaryRows summarise(const EvalConfig& config, const Model& model, const Compute& compute,
                      int64_t problems) {
  SummaryRows rows = summarise_model(*model.denoiser, compute);
  rows.emplace_back("task", describe_task(config, problems));
  rows.emplace_back("prompts", model.chat == ChatTemplate::kNone
                                   ? "as plain text: the model has no chat template"
                                   : "in the model's chat template, where they are worded");
  rows.emplace_back(
      "sampler", concat(config.sampler.describe(), ", temperature ", config.sampler.temperature));
  return rows;
}

void print_metrics(const EvalConfig& config, const Evaluation& e, const std::string& answers) {
  const auto m = e.metrics();
  std::cout << concat(answers.empty() ? config.model : answers, ": ", e.problems,
                      " problems: solved ", m.at("eval/solved"), " (95 % [",
                      m.at("eval/solved_low"), ", ", m.at("eval/solved_high"), "])");
  for (const auto& [name, value] : m)
    if (!name.starts_with("eval/solved")) std::cout << concat(", ", name.substr(5), " ", value);
  std::cout << "\n";
}

/// Makes room for a new evaluation.
void set_aside(const fs::path& folder) {
  if (!fs::exists(folder) || fs::is_empty(folder)) return;
  check(fs::exists(folder / "manifest.json"), "[out] ", folder.string(),
        " is not empty and holds no evaluation.");
  const RunLock lock(folder);  // not while another process writes into it
  fs::rename(folder, free_name(folder.string() + ".old"));
}

std::vector<std::string> options_of(const EvalArguments& a) {
  std::vector<std::string> words;
  if (!a.out.empty()) words.insert(words.end(), {"--out", a.out});
  if (!a.answers.empty()) words.insert(words.end(), {"--answers", a.answers});
  if (!a.lengths.empty()) words.insert(words.end(), {"--lengths", a.lengths});
  return words;
}

/// Evaluates each config and prints its figures; `source` makes answers to n problems.
int evaluate_all(const EvalArguments& arguments, const std::vector<EvalConfig>& configs,
                 const Problems& problems, const Json& who,
                 const std::function<Source(const EvalConfig&, int64_t n)>& source,
                 const std::function<SummaryRows(const EvalConfig&, int64_t n)>& rows) {
  for (const EvalConfig& config : configs) {
    const int64_t n = count_problems(problems, {.problems = config.problems});
    fs::path out = arguments.out;
    if (!out.empty() && !arguments.lengths.empty()) out /= concat(config.sampler.gen_length);
    if (!out.empty() && arguments.run.fresh) set_aside(out);
    Asking asking(config, source(config, n), n);
    if (!out.empty()) asking.keep_in(out.string(), manifest_of(config, who));
    SummaryRows summary = rows(config, n);
    summary.emplace_back("results",
                         out.empty() ? "not kept: --out FOLDER keeps them" : out.string());
    const auto evaluation = asking.run(summary);
    if (!evaluation && out.empty()) {
      std::cerr << "Interrupted; nothing was kept. --out FOLDER keeps what is answered.\n";
      return kExitInterrupted;
    }
    if (!evaluation) return say_interrupted(arguments.run, "eval", options_of(arguments));
    print_metrics(config, *evaluation, arguments.answers);
  }
  return kExitDone;
}

/// Answers that are there already; no model is read.
int judge_given(const EvalArguments& arguments, EvalConfig config) {
  check(arguments.lengths.empty(),
        "[lengths] is for answers of a model: leave it out with --answers.");
  const bool reference = arguments.answers == kReference;
  std::visit(
      [&](auto& task) {
        if constexpr (requires { task.right; })
          if (reference) task.right = 1;  // not what an annotator makes of it
      },
      config.task);
  const Judge judge(config.task);
  const auto problems = problems_of(config.task);
  return evaluate_all(
      arguments, {config}, *problems,
      {{"answers", reference ? kReference : fingerprint(arguments.answers)}},
      [&](const EvalConfig& c, int64_t n) {
        return given_answers(c, arguments.answers, *problems, judge, n);
      },
      [&](const EvalConfig& c, int64_t n) -> SummaryRows {
        return {{"answers", arguments.answers}, {"task", describe_task(c, n)}};
      });
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
  if (!arguments.answers.empty()) return judge_given(arguments, asked);
  const std::vector<EvalConfig> configs = by_length(asked, arguments.lengths);
  const Compute compute = open_compute(asked.compute, config_of(asked.model).architecture.width);
  const Judge judge(asked.task);
  const auto problems = problems_of(asked.task, chat_of(asked.model));
  const Model model = load_model(asked.model, compute, Use::kInference, asked.lora);
  const Json who = arguments.out.empty() ? Json::object() : identity_of(asked, compute);
  return evaluate_all(
      arguments, configs, *problems, who,
      [&](const EvalConfig& c, int64_t n) -> Source {
        check_lengths(model, *problems, n, c.sampler.gen_length);
        const EvaluationOptions options{
            .samples = c.samples, .batch = c.batch, .temperature = c.sampler.temperature};
        return [&, options](int64_t begin, int64_t end) {
          return answer(*model.denoiser, *model.tokenizer, *problems, judge, c.sampler, options,
                        begin, end, c.seed);
        };
      },
      [&](const EvalConfig& c, int64_t n) { return summarise(c, model, compute, n); });
}

std::string eval_keys() { return describe_keys<EvalConfig>(); }

}  // namespace gdsd
