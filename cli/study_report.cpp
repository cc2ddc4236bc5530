// The figures of a study as JSON, CSV and a picture.
#include <algorithm>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>
#include <nlohmann/json.hpp>

#include "cli/study.h"
#include "cli/svg.h"

namespace gdsd {

namespace {

double mean_of(const std::vector<double>& x) {
  double sum = 0;
  for (double v : x) sum += v;
  return sum / static_cast<double>(x.size());
}

double deviation_of(const std::vector<double>& x) {
  const double mean = mean_of(x);
  double squares = 0;
  for (double v : x) squares += (v - mean) * (v - mean);
  return x.size() > 1 ? std::sqrt(squares / static_cast<double>(x.size() - 1)) : 0;
}

/// Half the width of the 95 % interval of a mean of n values, Student's t.
double half_width(const std::vector<double>& x) {
  const boost::math::students_t t(static_cast<double>(x.size() - 1));
  return boost::math::quantile(t, 0.975) * deviation_of(x) /
         std::sqrt(static_cast<double>(x.size()));
}

const char* const kColours[] = {"#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#ff7f0e", "#8c564b",
                                "#e377c2", "#7f7f7f", "#bcbd22", "#17becf", "#000000"};

/// Rewards of each step over the runs, the mean of five steps so that lines can be told apart.
Series band_of(const Figures& f, const std::string& colour) {
  constexpr int64_t kWindow = 5;
  Series out{.label = f.method, .colour = colour};
  const Curve& first = f.runs[0].reward;
  for (size_t i = 0; i < first.size(); ++i) {
    std::vector<double> at;
    for (const RunResult& run : f.runs) {
      const auto begin =
          run.reward.begin() + std::max<int64_t>(0, static_cast<int64_t>(i) - kWindow + 1);
      double sum = 0;
      for (auto it = begin; it <= run.reward.begin() + static_cast<int64_t>(i); ++it)
        sum += it->second;
      at.push_back(sum /
                   static_cast<double>(run.reward.begin() + static_cast<int64_t>(i) - begin + 1));
    }
    out.points.emplace_back(first[i].first, mean_of(at));
    out.spread.push_back(deviation_of(at));
  }
  return out;
}

}  // namespace

bool collapsed(const RunResult& run) {
  double best = 0;
  for (const auto& [step, solved] : run.solved) best = std::max(best, solved);
  return run.final_solved < best / 2;
}

Figures figures_of(const std::string& method, const std::string& rate,
                   std::vector<RunResult> runs) {
  std::vector<double> finals, aucs, seconds;
  Figures f{.method = method, .rate = rate, .runs = std::move(runs)};
  if (f.runs.empty()) return f;
  for (const RunResult& run : f.runs) {
    finals.push_back(run.final_solved);
    aucs.push_back(run.auc());
    seconds.push_back(run.seconds);
    f.collapses += collapsed(run);
  }
  f.final_mean = mean_of(finals), f.auc_mean = mean_of(aucs), f.seconds = mean_of(seconds);
  f.worst = *std::min_element(finals.begin(), finals.end());
  if (finals.size() > 1) f.final_ci95 = half_width(finals);
  return f;
}

std::string study_json(const std::vector<Figures>& all) {
  nlohmann::json methods = nlohmann::json::object();
  for (const Figures& f : all) {
    nlohmann::json seeds = nlohmann::json::array();
    for (const RunResult& run : f.runs)
      seeds.push_back({{"seed", run.config.seed},
                       {"final", run.final_solved},
                       {"auc", run.auc()},
                       {"collapsed", collapsed(run)},
                       {"seconds", run.seconds},
                       {"run", run.folder.string()}});
    methods[f.method] = {{"final_mean", f.final_mean},
                         {"final_ci95", f.final_ci95 ? nlohmann::json(*f.final_ci95) : nullptr},
                         {"auc_mean", f.auc_mean},
                         {"worst_seed", f.worst},
                         {"collapses", f.collapses},
                         {"failed", f.failed},
                         {"seconds", f.seconds},
                         {"lr", std::stod(f.rate)},
                         {"lr_at_edge", f.at_edge},
                         {"seeds", seeds}};
  }
  return nlohmann::json{{"methods", methods}, {"base", all[0].runs[0].base_solved}}.dump(2) + "\n";
}

std::string study_csv(const std::vector<Figures>& all) {
  std::string out = "method,lr,seed,step,reward,solved\n";
  for (const Figures& f : all)
    for (const RunResult& run : f.runs) {
      std::map<double, std::pair<std::string, std::string>> lines;
      for (const auto& [step, value] : run.reward) lines[step].first = to_text(value);
      for (const auto& [step, value] : run.solved) lines[step].second = to_text(value);
      for (const auto& [step, values] : lines)
        out += concat(f.method, ",", f.rate, ",", run.config.seed, ",", to_text(step), ",",
                      values.first, ",", values.second, "\n");
    }
  return out;
}

std::string study_svg(const std::vector<Figures>& all) {
  std::vector<Series> series;
  for (const Figures& f : all)
    series.push_back(band_of(f, kColours[series.size() % std::size(kColours)]));
  return svg_file(
      line_chart("mean reward of a step's rollouts, means of five steps", "step", series));
}

}  // namespace gdsd
