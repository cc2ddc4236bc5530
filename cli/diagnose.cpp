#include "cli/diagnose.h"

#include <unistd.h>

#include <cmath>
#include <iostream>
#include <nlohmann/json.hpp>

#include "cli/configs.h"
#include "cli/console.h"
#include "cli/keys.h"
#include "cli/results.h"
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
    found.checkpoint = run / "latest";
    check(fs::exists(found.checkpoint), given, ": this run has no checkpoint yet.");
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

Diagnosis diagnose_run(const Found& found, const DiagnoseOptions& options) {
  const TrainConfig& config = found.run.config;
  const fs::path base = found.run.base();
  check(fs::exists(base), found.run.folder.string(), ": its model, ", config.model,
        ", which made the rollouts, is not there any more.");
  // As this machine can: the run may have been computed on another one.
  const Compute compute = open_compute(options.compute, config_of(base).architecture.width);
  const Model old =
      open_for_training(base, base, compute, config.lora, Key{config.seed}.fork("lora"));
  const auto present = load_denoiser(found.checkpoint, compute, Use::kInference);
  Subject subject{.old = *old.denoiser,
                  .present = *present,
                  .tokenizer = *old.tokenizer,
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
          {"bias_error", a->error}};
}

nlohmann::json json_of(const Weight& w) {
  return {{"by_mask_count", w.by_count}, {"after_eos", w.after_eos}};
}

nlohmann::json json_of(const MethodDiagnosis& d) {
  nlohmann::json out{{"views", d.views},
                     {"score", json_of(d.score)},
                     {"change", json_of(d.change)},
                     {"between_rollouts_sd", d.between},
                     {"curve",
                      {{"views", d.curve},
                       {"score_sd", d.score_sd},
                       {"change_sd", d.change_sd},
                       {"gradient_noise", d.gradient}}},
                     {"clipped", nullptr},
                     {"weight_at_old", json_of(d.first)},
                     {"weight_at_new", json_of(d.present)},
                     {"tokens_by_mask_count", d.tokens},
                     {"scores_old", d.score_old},
                     {"scores_new", d.score_new}};
  if (d.clipped) out["clipped"] = *d.clipped;
  return out;
}

nlohmann::json json_of(const std::optional<Likelihoods>& l) {
  if (!l) return nullptr;
  return {{"log_p", numbers(l->log_p)}, {"error", numbers(l->error)}, {"exact", l->exact}};
}

nlohmann::json summary(const Diagnosis& d, const DiagnosisSource& source) {
  nlohmann::json out{{"checkpoint", source.checkpoint},
                     {"model", source.model},
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
  const Found found = find_run(arguments.checkpoint);
  const DiagnosisSource source{arguments.checkpoint, found.run.config.model};
  const Diagnosis d = diagnose_run(found, options);
  if (!arguments.html.empty()) write_file(arguments.html, render_diagnosis(d, source));
  if (!arguments.json.empty()) write_file(arguments.json, summary(d, source).dump(2) + "\n");
  std::cout << describe(d, source) << "\n\n";
  print_table(d);
  return kExitDone;
}

std::string diagnose_keys() { return describe_keys<DiagnoseOptions>(); }

}  // namespace gdsd
