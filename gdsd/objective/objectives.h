// The list of objectives. To add one: write its header, add it here, done.
#pragma once

#include <variant>

#include "gdsd/objective/espo.h"
#include "gdsd/objective/gdsd.h"

namespace gdsd {

using ObjectiveOptions = std::variant<GdsdOptions, EspoOptions>;

inline MaskingOptions masking(const ObjectiveOptions& objective) {
  return std::visit([](const auto& o) { return masking(o); }, objective);
}

inline Loss loss(const Batch& b, const ObjectiveOptions& objective) {
  return std::visit([&](const auto& o) { return loss(b, o); }, objective);
}

/// Whether the loss looks at a frozen reference.
inline bool needs_reference(const ObjectiveOptions& objective) {
  return std::visit([](const auto& o) { return o.beta > 0; }, objective);
}

}  // namespace gdsd
