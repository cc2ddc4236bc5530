// Configs of the two training verbs, told apart by their keys.
#pragma once

#include "gdsd/base/yaml.h"
#include "gdsd/train/pretrain.h"
#include "gdsd/train/train.h"

namespace gdsd {

/// Whether every key of the file is one of Config's, whatever the values are.
template <class Config>
bool has_keys_of(const std::filesystem::path& file) {
  try {
    load_options<Config>(file);
  } catch (const Error& e) {
    return std::string(e.what()).find(kUnknownOption) == std::string::npos;
  }
  return true;
}

/// Whether the file is a config of the verb whose options are Other, and not of Config's.
template <class Config, class Other>
bool is_config_of(const std::filesystem::path& file) {
  return !has_keys_of<Config>(file) && has_keys_of<Other>(file);
}

}  // namespace gdsd
