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

/// What the file says (nothing if it has no name), then what the overrides say.
std::vector<Setting> settings_of(const std::filesystem::path& file,
                                 std::span<const std::string> overrides);

/// `defaults`, changed by the settings one after another, and validated.
template <class T>
T apply_settings(std::span<const Setting> settings, T defaults) {
  try {
    for (const Setting& s : settings) assign(defaults, s.path, s.text);
    validate(defaults);
  } catch (const FieldError& e) {
    throw located(e, settings, list_fields(defaults));
  }
  return defaults;
}

/// T's defaults, changed by the file and then by the overrides, and validated.
template <class T>
T load_options(const std::filesystem::path& file, std::span<const std::string> overrides = {}) {
  T defaults;
  return apply_settings(settings_of(file, overrides), std::move(defaults));
}

}  // namespace gdsd
