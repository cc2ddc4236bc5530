// Options from a YAML file and the command line, with errors that say where: "a.yaml:14:9: …".
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "gdsd/base/fields.h"

namespace gdsd {

/// One value somebody wrote: "rollout.sampler.steps", "64", "configs/a.yaml:14:9".
struct Setting {
  std::string path, text, where;
};

/// The scalars of a YAML file, in order, but the `name` of a section first.
/// Throws Error with file, line and column for what is not a tree of maps and scalars.
std::vector<Setting> read_yaml(const std::filesystem::path& file);

/// "key.path=value" from the command line.
Setting parse_override(const std::string& argument);

/// Fields as YAML, nested by their paths, strings quoted where they must be.
std::string to_yaml(std::span<const Field> fields);

/// The text of `e` with the place where its field was set, and a suggestion for unknown ones.
Error located(const FieldError& e, std::span<const Setting> settings,
              const std::vector<Field>& known);

/// T's defaults, changed by the file and then by the overrides, and validated.
template <class T>
T load_options(const std::filesystem::path& file, std::span<const std::string> overrides = {}) {
  std::vector<Setting> settings = read_yaml(file);
  for (const std::string& argument : overrides) settings.push_back(parse_override(argument));
  T options;
  try {
    for (const Setting& s : settings) assign(options, s.path, s.text);
    validate(options);
  } catch (const FieldError& e) {
    throw located(e, settings, list_fields(options));
  }
  return options;
}

}  // namespace gdsd
