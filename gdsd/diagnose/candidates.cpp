#include "gdsd/diagnose/candidates.h"

#include <algorithm>

#include "gdsd/train/train.h"

namespace gdsd {

namespace {

/// Every option of an objective, as text.
std::vector<Field> options_of(const ObjectiveOptions& objective) {
  TrainConfig config;
  config.objective = objective;
  return list_fields(config);
}

bool equal(const ObjectiveOptions& a, const ObjectiveOptions& b) {
  const auto left = options_of(a), right = options_of(b);
  return std::equal(
      left.begin(), left.end(), right.begin(), right.end(),
      [](const Field& x, const Field& y) { return x.path == y.path && x.text == y.text; });
}

/// mean_k Σ_i w_i log p → [B]
Tensor weighted(const Batch& b) { return (b.weight * b.log_p).sum(-1).mean(0); }

Tensor score_of(const Batch& b, const GdsdOptions&) { return weighted(b); }
Tensor score_of(const Batch& b, const EspoOptions&) { return weighted(b); }
Tensor score_of(const Batch& b, const Wd1Options&) { return weighted(b); }
Tensor score_of(const Batch& b, const DiffuGrpoOptions&) { return weighted(b); }
Tensor score_of(const Batch& b, const DmpoOptions&) {
  return static_cast<double>(b.log_p.size(-1)) * weighted(b);
}
Tensor score_of(const Batch& b, const SpgOptions& o) {
  return b.completion.sum(-1) * spg_scores(b, o).score;
}
Tensor score_of(const Batch& b, const TraceRlOptions&) { return b.log_p.sum(-1).sum(0); }

std::optional<PolicyRatios> ratios_of(const Batch&, const auto&) { return std::nullopt; }
std::optional<PolicyRatios> ratios_of(const Batch& b, const EspoOptions&) {
  const Tensor gap = (b.weight * (b.log_p - b.log_p_old)).sum(-1).mean(0);  // [B]
  const auto C = static_cast<double>(b.log_p.size(-1));
  return {{(gap / C).unsqueeze(1), at::ones_like(gap, at::kBool).unsqueeze(1)}};
}
std::optional<PolicyRatios> ratios_of(const Batch& b, const DiffuGrpoOptions&) {
  return {{(b.weight * (b.log_p - b.log_p_old)).mean(0), (b.weight != 0).any(0)}};
}
std::optional<PolicyRatios> ratios_of(const Batch& b, const CoupledGrpoOptions& o) {
  return ratios_of(b, static_cast<const DiffuGrpoOptions&>(o));
}
std::optional<PolicyRatios> ratios_of(const Batch& b, const TraceRlOptions&) {
  return {{(b.log_p - b.log_p_old).sum(0), (b.weight != 0).any(0)}};
}

}  // namespace

std::vector<Candidate> every_candidate() {
  std::vector<Candidate> all;
  fields_detail::for_each_alternative<ObjectiveOptions>([&]<class A>() {
    all.push_back({std::string(A::kName), A{}});
    if constexpr (requires { A::released(); })
      all.push_back({std::string(A::kName) + "_released", A::released()});
  });
  return all;
}

std::vector<Candidate> candidates_called(const std::string& names) {
  const std::vector<Candidate> all = every_candidate();
  if (names == "all") return all;
  std::string known;
  for (const Candidate& c : all) known += (known.empty() ? "" : ", ") + c.name;
  std::vector<Candidate> chosen;
  for (size_t begin = 0; begin <= names.size();) {
    const size_t end = std::min(names.find(',', begin), names.size());
    const std::string name = names.substr(begin, end - begin);
    const auto found =
        std::find_if(all.begin(), all.end(), [&](const Candidate& c) { return c.name == name; });
    check(found != all.end(), "[diagnose] methods: got '", name, "', expected all, or some of ",
          known, " with commas between them.");
    for (const Candidate& c : chosen)
      check(c.name != name, "[diagnose] methods: '", name, "' is given twice.");
    chosen.push_back(*found);
    begin = end + 1;
  }
  return chosen;
}

std::optional<Candidate> own_candidate(const ObjectiveOptions& objective) {
  for (const Candidate& c : every_candidate())
    if (equal(c.objective, objective)) return std::nullopt;
  const auto name = std::visit([](const auto& o) { return std::string(o.kName); }, objective);
  return Candidate{name + "*", objective};
}

Tensor rollout_score(const Batch& batch, const ObjectiveOptions& objective) {
  return std::visit([&](const auto& o) { return score_of(batch, o); }, objective)
      .detach()
      .to(at::kCPU, at::kDouble);
}

std::optional<PolicyRatios> policy_ratios(const Batch& batch, const ObjectiveOptions& objective) {
  auto found = std::visit([&](const auto& o) { return ratios_of(batch, o); }, objective);
  if (found) {
    found->log = found->log.detach().to(at::kCPU, at::kDouble);
    found->asked = found->asked.cpu();
  }
  return found;
}

bool is_deterministic(const MaskingOptions& o) {
  return (o.pattern == Pattern::kFull || o.pattern == Pattern::kTrace) && o.prompt_rate == 0;
}

bool is_mean_of_views(const ObjectiveOptions& objective) {
  const Pattern p = masking(objective).pattern;
  return !std::holds_alternative<SpgOptions>(objective) && p != Pattern::kFullAndPairs &&
         p != Pattern::kBlockAll && p != Pattern::kBlockRandom && p != Pattern::kTrace;
}

}  // namespace gdsd
