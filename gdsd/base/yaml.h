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

/// The scalars of a YAML file, in order. Throws Error with file, line and column for what is not a
/// tree of maps and scalars, and with the file for what cannot be read.
std::vector<Setting> read_yaml(const std::filesystem::path& file);

/// "key.path=value" from the command line.
Setting parse_override(const std::string& argument);

/// Fields as YAML, nested by their paths, strings quoted where they must be.
std::string to_yaml(std::span<const Field> fields);

/// The settings of the file and then those of the command line. Of each, what chooses the kind of a
/// section stands first, since it decides which keys the section has.
std::vector<Setting> read_settings(const std::filesystem::path& file,
                                   std::span<const std::string> overrides,
                                   const std::vector<Field>& known);

/// The text of `e` with the place where its field was last set, or else `file`; for an unknown
/// option with what was probably meant, of the `known` ones or those of `alternatives`.
Error located(const FieldError& e, const std::filesystem::path& file,
              std::span<const Setting> settings, const std::vector<Field>& known,
              const std::vector<Field>& alternatives);

/// `options` changed by the settings one after another, and validated. `file` is where they began.
template <class T>
T apply_settings(const std::filesystem::path& file, std::span<const Setting> settings, T options) {
  size_t read = 0;
  try {
    while (read < settings.size()) {
      const Setting& s = settings[read++];
      assign(options, s.path, s.text);
    }
    validate(options);
  } catch (const FieldError& e) {
    throw located(e, file, settings.first(read), list_fields(options), list_alternatives(options));
  }
  return options;
}

/// T's defaults, changed by the file and then by the overrides, and validated.
template <class T>
T load_options(const std::filesystem::path& file, std::span<const std::string> overrides = {}) {
  T defaults;
  const auto settings = read_settings(file, overrides, list_fields(defaults));
  return apply_settings<T>(file, settings, std::move(defaults));
}

}  // namespace gdsd
