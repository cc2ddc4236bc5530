#include "cli/diagnose.h"

#include <unistd.h>

#include <cmath>
#include <iostream>
#include <nlohmann/json.hpp>

#include "cli/configs.h"
#include "cli/console.h"
#include "cli/keys.h"
#include "cli/run_models.h"
#include "cli/targets.h"
#include "gdsd/base/file.h"

namespace gdsd {

namespace {

namespace fs = std::filesystem;

/// A checkpoint, and the run that it belongs to.
struct Found {
  fs::path checkpoint;
  RunResult run;  // folder and config alone
};

Found find_run(const std::string& given) {
  check(fs::exists(given), given, ": no such folder.");
  Found found{.checkpoint = fs::canonical(given), .run = {}};
  fs::path run = found.checkpoint;
  if (fs::exists(run / "config.yaml")) {
    check(fs::exists(run / "latest"), given, ": this run has no checkpoint yet.");
    found.checkpoint = fs::canonical(run / "latest");
  } else {
    run = run.parent_path().parent_path();  // RUN/checkpoints/step-…
  }
  const fs::path config = run / "config.yaml";
  check(fs::exists(config), given,
        ": expected the folder of a run, or of one of its checkpoints (RUN/latest, "
        "RUN/checkpoints/step-…).");
  check(!is_config_of<TrainConfig, PretrainConfig>(config), given,
        ": this is of a run of `gdsd pretrain`, expected one of `gdsd train`.");
  found.run.folder = run;
  found.run.config = load_options<TrainConfig>(config);
  return found;
}

DiagnoseOptions options_of(const std::vector<std::string>& overrides) {
  std::vector<Setting> settings;
  for (const std::string& o : overrides) settings.push_back(parse_override(o));
  return apply_settings("command line", settings, DiagnoseOptions{});
}

/// The denoiser that makes the rollouts: the run's base, or a checkpoint of the same run.
Model open_old(const RunModels& models, const Found& found, const std::string& given) {
  if (given.empty() || (fs::exists(given) && fs::equivalent(given, models.base_folder())))
    return models.base(Use::kTraining);
  const Found old = find_run(given);
  check(old.run.folder == found.run.folder, "[old] ", given, ": is of another run than ",
        found.checkpoint.string(), ".");
  return models.at(old.checkpoint, Use::kTraining);
}

Diagnosis diagnose_run(const Found& found, const DiagnoseOptions& options) {
  const TrainConfig& config = found.run.config;
  const RunModels models(found.run, options.compute, "a diagnosis needs it.");
  const Model present = models.at(found.checkpoint, Use::kInference);
  const Model old = open_old(models, found, options.old);
  Subject subject{.old = *old.denoiser,
                  .present = *present.denoiser,
                  .tokenizer = *old.tokenizer,
                  .chat = old.chat,
                  .task = config.task,
                  .rollout = config.rollout,
                  .objective = config.objective};
  subject.rollout.group_size = options.group_size;
  StatusLine line(std::cerr, isatty(STDERR_FILENO));
  line.set_width(terminal_size().width);
  return diagnose(subject, options, [&](const std::string& what) { line.show(what); });
}

nlohmann::json numbers(const Tensor& x) { return to_vector<double>(x); }

nlohmann::json json_of(const std::optional<Agreement>& a) {
  if (!a) return nullptr;
  return {{"correlation", a->correlation},
          {"correlation_within_groups", a->within},
          {"slope", a->slope},
          {"bias", a->bias},
          {"bias_error", a->error},
          {"reliability", a->reliability},
          {"reliability_within_groups", a->reliability_within}};
}

nlohmann::json json_of(const std::optional<double>& x) {
  return x ? nlohmann::json(*x) : nlohmann::json();
}

nlohmann::json json_of(const Shares& s) {
  return {{"by_mask_count", s.by_count}, {"after_eos", s.after_eos}};
}

nlohmann::json json_of(const GradientShare& s) {
  return {{"gradient", json_of(s.gradient)}, {"loss_weight", json_of(s.loss_weight)}};
}

nlohmann::json json_of(const MethodDiagnosis& d) {
  return {{"views", d.views},
          {"score", json_of(d.score)},
          {"change", json_of(d.change)},
          {"between_rollouts_sd", d.between.sd},
          {"reliability", d.between.reliability},
          {"curve",
           {{"views", d.curve},
            {"score_sd", d.score_sd},
            {"change_sd", d.change_sd},
            {"gradient_noise", d.gradient}}},
          {"ratio_bias", json_of(d.ratio_bias)},
          {"ratio_error", json_of(d.ratio_error)},
          {"clipped", json_of(d.loss.clipped)},
          {"shares_at_old", json_of(d.loss.old)},
          {"shares_at_new", json_of(d.loss.present)},
          {"tokens_by_mask_count", d.loss.tokens},
          {"scores_old", d.score_old},
          {"scores_new", d.score_new}};
}

nlohmann::json json_of(const std::optional<Likelihoods>& l) {
  if (!l) return nullptr;
  return {{"log_p", numbers(l->log_p)},
          {"error", numbers(l->error)},
          {"exact", l->exact},
          {"impossible", l->impossible()}};
}

nlohmann::json summary(const Diagnosis& d, const DiagnosisSource& source,
                       const DiagnoseOptions& options) {
  nlohmann::json asked = nlohmann::json::object();
  for (const Field& field : list_fields(options)) asked[field.path] = field.text;
  nlohmann::json out{{"options", asked},
                     {"checkpoint", source.checkpoint},
                     {"old", source.old},
                     {"rollouts", d.rollouts},
                     {"group_size", d.group_size},
                     {"completion", d.completion},
                     {"reward", d.reward},
                     {"completion_length", d.length},
                     {"likelihood_old", json_of(d.old)},
                     {"likelihood_new", json_of(d.present)},
                     {"methods", nlohmann::json::object()}};
  for (const MethodDiagnosis& m : d.methods) out["methods"][m.name] = json_of(m);
  return out;
}

std::string padded(const std::string& text, size_t width, bool left) {
  size_t columns = 0;
  for (char c : text) columns += (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  const std::string space(columns < width ? width - columns : 0, ' ');
  return left ? text + space : space + text;
}

void print_table(const Diagnosis& d) {
  const auto columns = diagnosis_columns(d);
  std::string head = padded("method", 21, /*left=*/true);
  for (const auto& c : columns) head += padded(c.name, 8, /*left=*/false);
  std::cout << head << "\n";
  for (const MethodDiagnosis& m : d.methods) {
    std::string row = padded(m.name, 21, /*left=*/true);
    for (const auto& c : columns) row += padded(c.text(m), 8, /*left=*/false);
    std::cout << row << "\n";
  }
  std::cout << "\n";
  for (const auto& c : columns) std::cout << padded(c.name, 8, /*left=*/true) << c.meaning << "\n";
}

}  // namespace

int run_diagnose(const DiagnoseArguments& arguments) {
  const DiagnoseOptions options = options_of(arguments.overrides);
  check_targets(arguments.json, arguments.html);
  const Found found = find_run(arguments.checkpoint);
  const DiagnosisSource source{arguments.checkpoint,
                               options.old.empty() ? found.run.config.model : options.old};
  const Diagnosis d = diagnose_run(found, options);
  std::cout << describe(d, source) << "\n\n";
  print_table(d);
  if (!arguments.html.empty()) write_file(arguments.html, render_diagnosis(d, source));
  if (!arguments.json.empty())
    write_file(arguments.json, summary(d, source, options).dump(2) + "\n");
  return kExitDone;
}

std::string diagnose_keys() { return describe_keys<DiagnoseOptions>(); }

}  // namespace gdsd
