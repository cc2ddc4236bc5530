// Which function of ours has to return what a line of a fixture file says.
#pragma once

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <string>

namespace gdsd::golden {

using nlohmann::json;

/// Fails the running test unless our function returns what `line` says the reference's did.
using Check = void (*)(const json& line);

/// Whether our function returns it, where it need not on every line.
using Agrees = bool (*)(const json& line);

// By the name of the file, without .jsonl.
std::map<std::string, Check> planning_checks();
std::map<std::string, Check> gsm8k_checks();
std::map<std::string, Check> math_checks();
std::map<std::string, Agrees> math_rates();  // on 98 of 100 lines of a file
std::map<std::string, Check> code_checks();

/// Adds a test for every prompt of prompts.json.
void add_prompts(const std::filesystem::path& file);

}  // namespace gdsd::golden
