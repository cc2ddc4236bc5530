// DMPO: distribution matching by weighted denoising cross-entropy. Zhu et al. 2025,
// arXiv:2510.08233.
//
//   wdce   L = Σ_b −A_b mean_k (1/n) Σ_i log p(x0_i | x_t),      A_b = G (w⁺_b − centre_b)
//   ddo    L = Σ_b −A_b log σ(β δ_b) − α log σ(−β δ_b),          A_b = G w⁺_b
//
// δ = ELBO_θ − ELBO_old; w⁺ and the centres are in advantage.h.
#pragma once

#include "gdsd/advantage/advantage.h"
#include "gdsd/masking/masking.h"
#include "gdsd/objective/objective.h"

namespace gdsd {

enum class DmpoLoss { kWdce, kDdo };
constexpr auto enum_names(DmpoLoss) { return std::array{"wdce", "ddo"}; }

/// Which views the ELBOs of ddo's two terms are taken from.
enum class DdoViews {
  kShared,  // the mean of all, for both, and of the old denoiser the same: δ = 0 where nothing moved
  kHalves,  // the mean of the first half, and of the second, against views of the old one's own
  kSum,     // the sum of all, for both, against the mean of views of the old one's own: as released
};
constexpr auto enum_names(DdoViews) { return std::array{"shared", "halves", "sum"}; }

struct DmpoOptions {
  static constexpr std::string_view kName = "dmpo";
  DmpoLoss loss = DmpoLoss::kWdce;
  double ddo_beta = 1;
  double ddo_alpha = 1;
  DdoViews ddo_views = DdoViews::kShared;
  MaskingOptions masking = {
      .pattern = Pattern::kBernoulli, .views = 2, .weight = TokenWeight::kMean, .min_rate = 0.1};
  AdvantageOptions advantage = {.contrast = Contrast::kSoftmax, .alpha = 0.04, .reference = true};

  static DmpoOptions released() {
    DmpoOptions o;
    o.ddo_views = DdoViews::kSum;
    o.advantage.elbo = o.masking;
    o.advantage.elbo.weight = TokenWeight::kCount;
    return o;
  }
  template <class F>
  void fields(F&& f) {
    f("loss", loss, "weighted cross-entropy, or a contrast with the old denoiser");
    f("ddo_beta", ddo_beta, "β of ddo");
    f("ddo_alpha", ddo_alpha, "α of ddo");
    f("ddo_views", ddo_views, "which views the present ELBO of ddo is taken from");
    f("masking", masking, "");
    f("advantage", advantage, "");
  }
  void validate() const {
    check_field(ddo_beta > 0, "ddo_beta", "must be positive, got ", ddo_beta, ".");
    check_field(ddo_alpha >= 0, "ddo_alpha", "must not be negative, got ", ddo_alpha, ".");
    check_field(masking.weight == TokenWeight::kMean, "masking.weight",
                "the loss is a mean over hidden tokens: expected mean.");
    check_field(loss == DmpoLoss::kWdce || advantage.centring == Centring::kNone,
                "advantage.centring", "got ", to_text(advantage.centring),
                " with loss ddo, which weighs rollouts by w⁺ itself: expected none.");
    check_field(ddo_views != DdoViews::kHalves || loss == DmpoLoss::kWdce || masking.views > 1,
                "ddo_views", "halves needs two views or more.");
  }
  bool needs_old() const { return loss == DmpoLoss::kDdo && ddo_views == DdoViews::kShared; }
  bool needs_reference() const { return false; }
  bool needs_elbo() const { return loss == DmpoLoss::kDdo && ddo_views != DdoViews::kShared; }
};

inline Loss loss(const Batch& b, const DmpoOptions& o) {
  const auto C = static_cast<double>(b.log_p.size(-1));
  const Tensor score = (b.weight * b.log_p).sum(-1);  // [K, B]
  Tensor terms = -b.advantage * score.mean(0);        // [B]
  if (o.loss == DmpoLoss::kDdo) {
    const int64_t K = score.size(0), half = o.ddo_views == DdoViews::kHalves ? K / 2 : 0;
    const double sums = o.ddo_views == DdoViews::kSum ? static_cast<double>(K) : 1;
    const Tensor old =
        o.needs_old() ? C * (b.weight * b.log_p_old).sum(-1).mean(0) : b.elbo_old;  // [B]
    const Tensor real = C * sums * score.slice(0, 0, half > 0 ? half : K).mean(0) - old;
    const Tensor fake = C * sums * score.slice(0, half).mean(0) - old;
    terms = -b.advantage * at::log_sigmoid(o.ddo_beta * real);
    terms = terms - o.ddo_alpha * at::log_sigmoid(-o.ddo_beta * fake);
  }
  return {.sum = terms.sum(),
          .count = static_cast<double>(terms.numel()),
          .metrics = {{"entropy", -score.mean(0).sum().detach()}}};
}

}  // namespace gdsd
