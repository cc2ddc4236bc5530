// The keys of an options struct as --help shows them.
#pragma once

#include "gdsd/base/fields.h"

namespace gdsd {

std::string describe(const std::vector<Field>& fields);

template <class Config>
std::string describe_keys() {
  const Config defaults;
  std::string text = "Keys, their defaults and meanings:\n" + describe(list_fields(defaults));
  const auto others = list_alternatives(defaults);
  if (!others.empty()) text += "Keys of what another `name` chooses:\n" + describe(others);
  return text;
}

}  // namespace gdsd
