// The page of `gdsd diagnose`, and the columns that it shares with the table on the terminal.
#include <cmath>
#include <numeric>

#include "cli/diagnose.h"
#include "cli/plot.h"
#include "gdsd/base/progress.h"

namespace gdsd {

namespace {

constexpr const char* kStyle = R"(<style>
:root { color-scheme: light; --ink: #1d2433; --soft: #667; --rule: #e3e6ee; }
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); max-width: 60rem; margin: 2rem auto;
       padding: 0 1rem; }
h1 { font-size: 1.6rem; margin-bottom: 0; } h2 { font-size: 1.15rem; margin-top: 2.2rem; }
table { border-collapse: collapse; font-size: .85rem; }
th, td { text-align: right; padding: .2rem .5rem; border-bottom: 1px solid var(--rule); }
th:first-child, td:first-child { text-align: left; }
svg text { font: 11px system-ui, sans-serif; fill: var(--ink); max-width: 100%; }
svg .rule { stroke: var(--rule); } svg .caption { fill: var(--soft); }
svg .diagonal { stroke: #999; stroke-dasharray: 3 3; }
.grid { display: flex; flex-wrap: wrap; gap: .5rem; } .note, dd { color: var(--soft); }
dt { float: left; clear: left; width: 5rem; } dd { margin-left: 5.5rem; } dl { font-size: .85rem; }
</style>)";

std::string decimals(double value, int digits) {
  return std::isfinite(value) ? fixed(value, digits) : "-";
}
/// Of kBins, those with C/4 hidden or fewer.
double few(const std::vector<double>& by_count) {
  return std::accumulate(by_count.begin(), by_count.begin() + kBins / 4, 0.0);
}
std::string percent(double share) { return std::isfinite(share) ? fixed(100 * share, 0) : "-"; }

bool is_preset(const MethodDiagnosis& m) { return m.name.ends_with("_released"); }

/// A colour a method, the same for its preset.
std::vector<std::string> colours(const Diagnosis& d) {
  std::vector<std::string> out;
  size_t methods = 0;
  for (const MethodDiagnosis& m : d.methods) {
    if (!is_preset(m) || out.empty()) ++methods;
    out.push_back(palette(methods - 1));
  }
  return out;
}

std::string curves(const Diagnosis& d, const std::string& title, const std::string& y_label,
                   const std::vector<double> MethodDiagnosis::*figure) {
  Plot plot{.title = title, .x_label = "views K", .y_label = y_label, .log_x = true, .log_y = true};
  const auto colour = colours(d);
  for (size_t m = 0; m < d.methods.size(); ++m) {
    const MethodDiagnosis& of = d.methods[m];
    const std::vector<double>& values = of.*figure;
    Series s{.label = of.name, .colour = colour[m], .faint = is_preset(of)};
    for (size_t i = 0; i < values.size(); ++i)
      s.points.emplace_back(static_cast<double>(of.curve[i]), values[i]);
    if (values.size() > 1) plot.series.push_back(s);
  }
  return "<h2>" + title + "</h2>" + draw(plot);
}

/// The score of each method against the truth, a small picture for each.
std::string clouds(const Diagnosis& d, const std::string& title, const std::string& y_label,
                   bool change) {
  const auto colour = colours(d);
  const auto before = to_vector<double>(d.old->log_p), after = to_vector<double>(d.present->log_p);
  const auto error = to_vector<double>(d.old->error),
             error_after = to_vector<double>(d.present->error);
  std::string out = "<h2>" + title + "</h2><div class='grid'>";
  for (size_t m = 0; m < d.methods.size(); ++m) {
    const MethodDiagnosis& of = d.methods[m];
    Series s{.label = of.name, .colour = colour[m]};
    for (size_t b = 0; b < before.size(); ++b) {
      const double old = of.score_old[b], now = of.score_new[b];
      s.points.emplace_back(change ? now - old : old, change ? after[b] - before[b] : before[b]);
      s.spread.push_back(change ? std::hypot(error[b], error_after[b]) : error[b]);
    }
    out += draw({.title = of.name,
                 .x_label = of.name,
                 .y_label = y_label,
                 .points = true,
                 .diagonal = true,
                 .width = 230,
                 .height = 210,
                 .series = {s}});
  }
  return out + "</div>";
}

std::string weights(const Diagnosis& d) {
  Plot plot{.title = "Gradient by mask count",
            .x_label = "hidden tokens of the completion's C, up to this share",
            .y_label = "share of the gradient, first inner step"};
  const auto colour = colours(d);
  for (size_t m = 0; m < d.methods.size(); ++m) {
    const MethodDiagnosis& of = d.methods[m];
    Series s{.label = of.name, .colour = colour[m], .faint = is_preset(of)};
    for (size_t i = 0; i < of.loss.old.gradient.by_count.size(); ++i)
      s.points.emplace_back(static_cast<double>(i + 1) / kBins, of.loss.old.gradient.by_count[i]);
    plot.series.push_back(s);
  }
  return "<h2>" + plot.title + "</h2>" + draw(plot);
}

std::string table(const Diagnosis& d) {
  const auto columns = diagnosis_columns(d);
  std::string out = "<table><tr><th>method</th>";
  for (const auto& c : columns) out += "<th>" + escape_html(c.name) + "</th>";
  for (const MethodDiagnosis& m : d.methods) {
    out += "</tr><tr><td>" + escape_html(m.name) + "</td>";
    for (const auto& c : columns) out += "<td>" + escape_html(c.text(m)) + "</td>";
  }
  out += "</tr></table><dl>";
  for (const auto& c : columns)
    out += "<dt>" + escape_html(c.name) + "</dt><dd>" + escape_html(c.meaning) + "</dd>";
  return out + "</dl>";
}

using Text = std::function<std::string(const MethodDiagnosis&)>;

Text of_agreement(const std::optional<Agreement> MethodDiagnosis::*which, double Agreement::*figure,
                  int digits) {
  return [=](const MethodDiagnosis& m) {
    return m.*which ? decimals((*(m.*which)).*figure, digits) : "-";
  };
}

void add_truth(std::vector<DiagnosisColumn>& out) {
  using M = MethodDiagnosis;
  out.push_back({"corr", "correlation of the score with log p of the sampler, over rollouts",
                 of_agreement(&M::score, &Agreement::correlation, 3)});
  out.push_back({"in grp", "the same within groups: without the means of a problem's rollouts",
                 of_agreement(&M::score, &Agreement::within, 3)});
  out.push_back(
      {"slope", "nats of log p for a nat of score", of_agreement(&M::score, &Agreement::slope, 2)});
  out.push_back(
      {"bias", "score - log p, nats a rollout", of_agreement(&M::score, &Agreement::bias, 2)});
  out.push_back({"d corr", "of the log-ratio new - old: its correlation with the true one",
                 of_agreement(&M::change, &Agreement::correlation, 3)});
  out.push_back({"d slope", "true nats for a nat of log-ratio",
                 of_agreement(&M::change, &Agreement::slope, 2)});
  out.push_back({"d bias", "log-ratio - true log-ratio, nats a rollout",
                 of_agreement(&M::change, &Agreement::bias, 2)});
}

}  // namespace

std::vector<DiagnosisColumn> diagnosis_columns(const Diagnosis& d) {
  std::vector<DiagnosisColumn> out;
  out.push_back({"K", "views of a rollout that the method uses; of tracerl the denoising steps",
                 [](const MethodDiagnosis& m) { return std::to_string(m.views); }});
  if (d.old) add_truth(out);
  out.push_back({"sd", "standard deviation of a rollout's score over masks, nats, at this K",
                 [](const MethodDiagnosis& m) { return decimals(m.score_sd[m.own], 2); }});
  out.push_back(
      {"sd/btw", "the same in units of its standard deviation between rollouts",
       [](const MethodDiagnosis& m) { return decimals(m.score_sd[m.own] / m.between.sd, 2); }});
  out.push_back({"d sd", "standard deviation of the log-ratio new - old over masks, nats",
                 [](const MethodDiagnosis& m) { return decimals(m.change_sd[m.own], 2); }});
  out.push_back({"ρ bias", "log of how much the noise of its masks adds to a ratio, mean",
                 [](const MethodDiagnosis& m) { return decimals(m.ratio_bias.value_or(NAN), 4); }});
  if (!d.methods.empty() && !d.methods[0].gradient.empty())
    out.push_back({"grad", "noise of the gradient by its masks, over its length; '-': drowned",
                   [](const MethodDiagnosis& m) { return decimals(m.gradient[m.own], 2); }});
  out.push_back(
      {"clip%", "rollouts or tokens that the trust region stops at the new denoiser",
       [](const MethodDiagnosis& m) { return m.loss.clipped ? percent(*m.loss.clipped) : "-"; }});
  out.push_back(
      {"few%", "share of the gradient in tokens predicted with C/4 hidden or fewer",
       [](const MethodDiagnosis& m) { return percent(few(m.loss.old.gradient.by_count)); }});
  out.push_back({"(tok%)", "share of these among the tokens asked for",
                 [](const MethodDiagnosis& m) { return percent(few(m.loss.tokens)); }});
  out.push_back({"eos%", "share of the gradient in tokens after the first EOS",
                 [](const MethodDiagnosis& m) { return percent(m.loss.old.gradient.after_eos); }});
  return out;
}

std::string describe(const Diagnosis& d, const DiagnosisSource& source) {
  std::string out = concat(d.rollouts, " rollouts of ", source.old, " (mean reward ",
                           fixed(d.reward, 3), ", ", fixed(d.length, 1), " of ", d.completion,
                           " tokens until EOS); new is ", source.checkpoint, ".");
  if (!d.old) return out + " The sampler's likelihood was not asked for.";
  const int64_t n = d.old->log_p.numel();
  out += concat(" log p of the sampler, of ", n, " of them: ", fixed(finite_mean(d.old->log_p), 2),
                " old, ", fixed(finite_mean(d.present->log_p), 2), " new, mean nats");
  for (const auto& [l, which] : {std::pair(&*d.old, "old"), std::pair(&*d.present, "new")})
    if (l->impossible() > 0)
      out += concat(", without ", l->impossible(), " that the ", which, " one cannot make");
  out += "; ";
  if (d.old->exact) return out + "exact.";
  return out + concat("estimated, mean standard error ", fixed(finite_mean(d.old->error), 2),
                      " old, ", fixed(finite_mean(d.present->error), 2), " new.");
}

std::string render_diagnosis(const Diagnosis& d, const DiagnosisSource& source) {
  std::string out = concat(
      "<!doctype html><html lang='en'><meta charset='utf-8'><title>gdsd "
      "diagnose: ",
      escape_html(source.checkpoint), "</title>", kStyle,
      "<h1>What the methods see</h1><p class='note'>", escape_html(describe(d, source)), "</p>",
      table(d));
  if (d.old) {
    out += clouds(d, "Score and likelihood", "log p of the sampler", /*change=*/false);
    out += clouds(d, "Their change, new - old", "change of log p", /*change=*/true);
    out +=
        "<p class='note'>A dot a rollout, with its standard error where it is estimated; dashed: "
        "y = x.</p>";
  }
  out += curves(d, "Noise of a score over masks", "standard deviation, nats",
                &MethodDiagnosis::score_sd);
  out += curves(d, "Noise of a log-ratio new - old", "standard deviation, nats",
                &MethodDiagnosis::change_sd);
  out += curves(d, "Noise of the gradient", "noise / length", &MethodDiagnosis::gradient);
  out += weights(d);
  return out + "<p class='note'>Dashed lines: released presets.</p></html>\n";
}

}  // namespace gdsd
