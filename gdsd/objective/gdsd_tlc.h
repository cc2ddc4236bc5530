// GDSD-TLC: GDSD on token scores with ELBO weights. Tang et al. 2026, arXiv:2605.29398.
//
// Its name promises centred logits ("token-level logit centring"). The released code centres the
// logits and then takes log softmax, which no constant changes: what differs from GDSD are the ELBO
// weights alone, and S is ESPO's ELBO. masking.score=centred_logit is what the name says.
#pragma once

#include "gdsd/objective/gdsd.h"

namespace gdsd {

struct GdsdTlcOptions : GdsdOptions {
  static constexpr std::string_view kName = "gdsd_tlc";

  GdsdTlcOptions() : GdsdTlcOptions(GdsdOptions{}) {}
  static GdsdTlcOptions released() { return GdsdTlcOptions(GdsdOptions::released()); }

 private:
  explicit GdsdTlcOptions(const GdsdOptions& o) : GdsdOptions(o) {
    masking.weight = TokenWeight::kElbo;
  }
};

}  // namespace gdsd
