// The list of objectives. To add one: write its header, add it here, done.
#pragma once

#include <variant>

#include "gdsd/objective/diffu_grpo.h"
#include "gdsd/objective/dmpo.h"
#include "gdsd/objective/espo.h"
#include "gdsd/objective/gdsd_tlc.h"
#include "gdsd/objective/spg.h"
#include "gdsd/objective/tracerl.h"
#include "gdsd/objective/wd1.h"

namespace gdsd {

using ObjectiveOptions =
    std::variant<GdsdOptions, GdsdTlcOptions, EspoOptions, SpgOptions, Wd1Options, DmpoOptions,
                 DiffuGrpoOptions, CoupledGrpoOptions, TraceRlOptions>;

inline Loss loss(const Batch& b, const ObjectiveOptions& objective) {
  return std::visit([&](const auto& o) { return loss(b, o); }, objective);
}

inline const MaskingOptions& masking(const ObjectiveOptions& objective) {
  return std::visit([](const auto& o) -> const MaskingOptions& { return o.masking; }, objective);
}

inline const AdvantageOptions& advantage(const ObjectiveOptions& objective) {
  return std::visit([](const auto& o) -> const AdvantageOptions& { return o.advantage; },
                    objective);
}

/// Whether the loss looks at the scores of the denoiser that produced the rollouts.
inline bool needs_old(const ObjectiveOptions& objective) {
  return std::visit([](const auto& o) { return o.needs_old(); }, objective);
}

/// Whether loss or advantage look at a frozen reference.
inline bool needs_reference(const ObjectiveOptions& objective) {
  return std::visit([](const auto& o) { return o.needs_reference(); }, objective) ||
         advantage(objective).needs_reference();
}

/// Whether loss or advantage look at the ELBO of the rollouts.
inline bool needs_elbo(const ObjectiveOptions& objective) {
  const AdvantageOptions& a = advantage(objective);
  return std::visit([](const auto& o) { return o.needs_elbo(); }, objective) ||
         a.needs_reference() || a.needs_current();
}

}  // namespace gdsd
