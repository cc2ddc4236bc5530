// The files of a tokenizer, held as bytes: what is read here is written again as it was.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace gdsd {

/// Contents by file name.
using TokenizerFiles = std::map<std::string, std::string>;

/// Those files of a Hugging Face folder that a tokenizer is made of, and the Python file that its
/// tokenizer_config.json names, if it is there.
TokenizerFiles read_tokenizer_files(const std::filesystem::path& folder);

/// A value as an error message shows it: at most 200 bytes.
std::string brief(const nlohmann::json& value);

/// Runs `body`; errors in it, those of JSON included, begin with "[tokenizer] FOLDER/FILE: ".
void in_file(const std::filesystem::path& path, const std::function<void()>& body);

}  // namespace gdsd
